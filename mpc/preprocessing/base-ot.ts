import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { createHash } from 'node:crypto';
import { concatBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { RandomSource } from '../transport.ts';

const { Point } = ristretto255;
type Element = InstanceType<typeof Point>;

const ELEMENT = 32;
/** Bytes of what one transfer carries. */
export const OT_KEY_BYTES = 32;

/** The two keys of one transfer: the sender holds both. */
export type KeyPair = readonly [Uint8Array, Uint8Array];

/**
 * The receiver's side of 1-of-2 transfers of random keys, and its message: two elements a transfer, of which it knows the
 * logarithm behind one (docs/preprocessing.md §2; Masny, Rindal, "Endemic Oblivious Transfer", CCS 2019).
 *
 * A pair of elements (r_0, r_1) fits a secret b for the choice c when r_c + H(r_(1-c)) = b G; r_(1-c) is random, so the
 * pair says nothing about c. `context` names session, receiver and sender.
 */
export class OtReceiver {
  /** 64 bytes a transfer. */
  readonly message: Uint8Array;
  readonly #context: Uint8Array;
  readonly #choices: readonly number[];
  readonly #secrets: readonly bigint[];

  constructor(context: Uint8Array, choices: readonly number[], random: RandomSource) {
    this.#context = context;
    this.#choices = choices;
    this.#secrets = choices.map(() => randomExponent(random));
    this.message = concatBytes(...choices.map((choice, t) => this.#offer(t, choice, random)));
  }

  #offer(t: number, choice: number, random: RandomSource): Uint8Array {
    const other = ristretto255_hasher.deriveToCurve!(random(64)).toBytes();
    const chosen = Point.BASE.multiply(this.#secrets[t]!)
      .subtract(hashToElement(this.#context, t, choice, other))
      .toBytes();
    // Byte by byte under a mask, so that the order of the two does not show in what is executed.
    const mask = -choice;
    const offer = new Uint8Array(2 * ELEMENT);
    for (let i = 0; i < ELEMENT; i++) {
      const [a, b] = [chosen[i]!, other[i]!];
      offer[i] = a ^ ((a ^ b) & mask);
      offer[ELEMENT + i] = b ^ ((a ^ b) & mask);
    }
    return offer;
  }

  /** The chosen key of each transfer. Errors: `Abort BAD_BASE_OT` for an answer that is no element, or none at all. */
  finish(answer: Uint8Array, sender: string): Uint8Array[] {
    const point = decode(answer, sender);
    return this.#secrets.map((secret, t) => {
      const offer = this.message.subarray(2 * ELEMENT * t, 2 * ELEMENT * (t + 1));
      return keyOf(this.#context, t, this.#choices[t]!, answer, offer, point.multiply(secret));
    });
  }
}

/**
 * The sender's side: one message a G whatever the number of transfers, and for each transfer the two keys
 *
 *     k_c = hash(a (r_c + H(r_(1-c))))
 *
 * of which the receiver can compute one alone (computational Diffie-Hellman in ristretto255, random oracle).
 */
export class OtSender {
  /** 32 bytes. */
  readonly message: Uint8Array;
  readonly #context: Uint8Array;
  readonly #secret: bigint;

  constructor(context: Uint8Array, random: RandomSource) {
    this.#context = context;
    this.#secret = randomExponent(random);
    this.message = Point.BASE.multiply(this.#secret).toBytes();
  }

  /** Errors: `Abort BAD_BASE_OT` for offers that are no elements or not `count` pairs. */
  finish(offers: Uint8Array, count: number, receiver: string): KeyPair[] {
    if (offers.length !== 2 * ELEMENT * count) throw badOffer(receiver);
    return Array.from({ length: count }, (_, t) => {
      const offer = offers.subarray(2 * ELEMENT * t, 2 * ELEMENT * (t + 1));
      return [this.#key(t, 0, offer, receiver), this.#key(t, 1, offer, receiver)];
    });
  }

  #key(t: number, choice: 0 | 1, offer: Uint8Array, receiver: string): Uint8Array {
    const other = offer.subarray(ELEMENT * (1 - choice), ELEMENT * (2 - choice));
    const chosen = decode(offer.subarray(ELEMENT * choice, ELEMENT * (choice + 1)), receiver);
    const base = chosen.add(hashToElement(this.#context, t, choice, other));
    if (base.equals(Point.ZERO)) throw badOffer(receiver);
    return keyOf(this.#context, t, choice, this.message, offer, base.multiply(this.#secret));
  }
}

function decode(bytes: Uint8Array, party: string): Element {
  let point: Element;
  try {
    point = Point.fromBytes(bytes);
  } catch {
    throw badOffer(party);
  }
  if (point.equals(Point.ZERO)) throw badOffer(party);
  return point;
}

const badOffer = (party: string): Abort =>
  new Abort('BAD_BASE_OT', `${party} sent a base transfer that no honest party sends`, { party });

/** Uniform below the group's order but for 2^-256, and not zero but for as much. */
function randomExponent(random: RandomSource): bigint {
  const wide = Buffer.from(random(64)).toString('hex');
  return (BigInt(`0x${wide}`) % (Point.Fn.ORDER - 1n)) + 1n;
}

/** A random oracle into the group, a separate one for each transfer and choice (RFC 9496, section 4.3.4). */
function hashToElement(context: Uint8Array, t: number, choice: number, element: Uint8Array): Element {
  const place = hashBytes(LABEL.baseOt, context, Uint8Array.of(t >> 8, t & 255, choice));
  return ristretto255_hasher.deriveToCurve!(createHash('sha512').update(place).update(element).digest());
}

function keyOf(
  context: Uint8Array,
  t: number,
  choice: number,
  answer: Uint8Array,
  offer: Uint8Array,
  shared: Element,
): Uint8Array {
  return hashBytes(LABEL.baseOt, context, Uint8Array.of(t >> 8, t & 255, choice), answer, offer, shared.toBytes());
}
