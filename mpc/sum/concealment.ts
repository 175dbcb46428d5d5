import { createHash } from 'node:crypto';
import { inspect } from 'node:util';
import { ByteWriter } from '../../protocol/bytes.ts';
import { LABEL } from '../../protocol/labels.ts';
import { CellVector } from '../cells.ts';
import { addCommitments, commitScalars } from '../pedersen.ts';
import { maskedChunks } from '../masks.ts';
import { randomScalar, SCALAR_BYTES, SCALAR_ORDER, ScalarVector, SEED_BYTES } from '../scalars.ts';
import type { RandomSource } from '../transport.ts';
import type { CellSet } from './cell-set.ts';

/**
 * Keeping cells closed while the others stay verifiable (docs/protocol.md §3, withheld cells).
 *
 * Party i draws a_i, uniform at the withheld cells and zero elsewhere, and b_i, and announces A_i = Com(a_i; b_i). The
 * challenge e comes from the transcript with all announcements. The party then shares x_i + e a_i under the
 * blinding r_i + e b_i, which is what C_i + e A_i commits to. Released cells open to their sum, as ever; a withheld cell
 * opens to X_j + e sum_i a_ij, which is uniform whatever X_j is. Together this is Okamoto's proof of knowledge of
 * a representation (CRYPTO '92), its responses added over the parties, with the released cells as its statement.
 *
 * e is uniform on all of Z_l, not a short challenge: who hides a difference c in a released cell moves it by e c, and only
 * a uniform e makes that leave the range of cells, but for one e in 2^131.
 */
export class Concealment {
  /** A_i, 32 bytes. */
  readonly announcement: Uint8Array;
  readonly #released: CellSet;
  readonly #seed: Uint8Array;
  readonly #blinding: Uint8Array;

  /** Cost: one commitment with full-width scalars at the withheld cells, about 7 us each. */
  constructor(released: CellSet, random: RandomSource) {
    this.#released = released;
    this.#seed = random(SEED_BYTES);
    this.#blinding = randomScalar(random);
    const { factors } = this.#multiples(1n);
    this.announcement = commitScalars(factors, this.#blinding);
  }

  /** e a_i and e b_i, to be added to the cells and the blinding before they are shared. */
  respond(challenge: bigint): { cells: ScalarVector; blinding: Uint8Array } {
    const { factors, blinding } = this.#multiples(challenge);
    return { cells: factors, blinding };
  }

  #multiples(factor: bigint): { factors: ScalarVector; blinding: Uint8Array } {
    const { length } = this.#released;
    const products = new Uint8Array(SCALAR_BYTES * length);
    const limbs = new BigUint64Array(products.buffer);
    const chunkCells = 4096;
    let first = 0;
    for (const chunk of maskedChunks(CellVector.zeros(length), [{ seed: this.#seed, sign: 1 }], chunkCells)) {
      const scalars = new BigUint64Array(chunk.slice().buffer);
      for (let i = 0; i < scalars.length / 4; i++) {
        if (this.#released.has(first + i)) continue;
        writeScalar(limbs, first + i, (readScalar(scalars, i) * factor) % SCALAR_ORDER);
      }
      first += chunkCells;
    }
    const blinding = new BigUint64Array(this.#blinding.slice().buffer);
    writeScalar(blinding, 0, (readScalar(blinding, 0) * factor) % SCALAR_ORDER);
    return { factors: ScalarVector.fromBytes(products), blinding: new Uint8Array(blinding.buffer) };
  }

  [inspect.custom](): string {
    return `Concealment(of ${this.#released.length - this.#released.size} cells, redacted)`;
  }
}

/** e, uniform on Z_l up to 2^-259, from everything that was fixed before it: agreement, pattern, announcements. */
export function challengeOf(agreement: Uint8Array, released: CellSet, announcements: readonly Uint8Array[]): bigint {
  const writer = new ByteWriter().text(LABEL.concealment).fixed(agreement).uint32(released.length);
  writer.fixed(createHash('sha256').update(released.bytes).digest());
  for (const announcement of announcements) writer.fixed(announcement);
  const wide = createHash('sha512').update(writer.finish()).digest('hex');
  return BigInt(`0x${wide}`) % SCALAR_ORDER;
}

/** C + e A: what a party's share opens when cells are withheld. Public. Cost: about 5 ms. */
export function concealedCommitment(commitment: Uint8Array, announcement: Uint8Array, challenge: bigint): Uint8Array {
  return addCommitments([commitment, multiply(announcement, challenge)]);
}

/** Adds a response to a chunk of scalars, cell `first` on. */
export function addResponse(chunk: Uint8Array, first: number, response: ScalarVector): Uint8Array {
  const sum = ScalarVector.fromBytes(chunk);
  const at = SCALAR_BYTES * first;
  sum.addInto(ScalarVector.fromBytes(response.bytes.subarray(at, at + chunk.length)));
  return sum.bytes;
}

/** By double and add over encodings: once a step, so it need not be fast; its inputs are public. */
function multiply(element: Uint8Array, factor: bigint): Uint8Array {
  let product: Uint8Array = new Uint8Array(32);
  for (const bit of factor.toString(2)) {
    product = addCommitments(bit === '1' ? [product, product, element] : [product, product]);
  }
  return product;
}

const readScalar = (limbs: BigUint64Array, i: number): bigint =>
  limbs[4 * i]! | (limbs[4 * i + 1]! << 64n) | (limbs[4 * i + 2]! << 128n) | (limbs[4 * i + 3]! << 192n);

function writeScalar(limbs: BigUint64Array, i: number, value: bigint): void {
  for (let k = 0; k < 4; k++) limbs[4 * i + k] = (value >> BigInt(64 * k)) & 0xffff_ffff_ffff_ffffn;
}
