import { Misuse } from '../../protocol/errors.ts';
import { Workspace } from '../bitkernels/load.ts';
import { TAG_BYTES, type AuthenticatedBits } from './bits.ts';
import { NOWHERE } from './circuit.ts';
import type { Triples } from './stock.ts';

/** Lanes that go through the kernels at once: five operands of them stay in the processor's cache. */
const PIECE = 2048;
/** Below this many bytes a loop is done before a kernel is called. */
const FEW = 64;

/** A place in the kernels' memory for one operand of a piece. */
class Slot {
  readonly at: number;
  readonly #bytes: Uint8Array;

  constructor(workspace: Workspace, bytes: number) {
    this.at = workspace.take(bytes);
    this.#bytes = workspace.view(this.at, bytes);
  }

  load(from: Uint8Array, first: number, length: number): void {
    this.#bytes.set(from.subarray(first, first + length));
  }

  store(to: Uint8Array, first: number, length: number): void {
    to.set(this.#bytes.subarray(0, length), first);
  }

  fill(byte: number): void {
    this.#bytes.fill(byte);
  }
}

/**
 * Operands on their way through the kernels. These take a vector of the machine for each tag, and are as fast in a process's first
 * computation as in its thousandth, where a loop over words runs slowly until the engine has compiled it, often several times.
 */
class Scratch {
  readonly kernels: Workspace['kernels'];
  readonly tags: readonly [Slot, Slot, Slot, Slot, Slot];
  readonly bits: readonly [Slot, Slot];
  readonly ones: Slot;
  readonly key: Slot;

  constructor() {
    const workspace = new Workspace();
    // All memory before the first view of it: to grow takes the views away.
    workspace.release(workspace.take(6 * TAG_BYTES * PIECE));
    const tags = (): Slot => new Slot(workspace, TAG_BYTES * PIECE);
    const bits = (): Slot => new Slot(workspace, PIECE / 8);
    this.tags = [tags(), tags(), tags(), tags(), tags()];
    this.bits = [bits(), bits()];
    this.ones = bits();
    this.key = new Slot(workspace, TAG_BYTES);
    this.ones.fill(0xff);
    this.kernels = workspace.kernels;
  }

  erase(): void {
    for (const slot of [...this.tags, ...this.bits, this.key]) slot.fill(0);
  }
}

let scratch: Scratch | undefined;
const theScratch = (): Scratch => (scratch ??= new Scratch());

/** Overwrites what shares left on their way through the kernels. */
export const eraseScratch = (): void => scratch?.erase();

/** Calls `step` with the first lane of each piece and its number of lanes. */
function inPieces(lanes: number, step: (first: number, count: number) => void): void {
  for (let first = 0; first < lanes; first += PIECE) step(first, Math.min(PIECE, lanes - first));
}

/** out = a XOR b, bytes of one length. */
export function xorBytes(out: Uint8Array, a: Uint8Array, b: Uint8Array): void {
  if (a.length !== out.length || b.length !== out.length) throw new Misuse('MALFORMED', 'a sum of unequal lengths');
  if (out.length < FEW) {
    for (let i = 0; i < out.length; i++) out[i] = a[i]! ^ b[i]!;
    return;
  }
  const { kernels, tags } = theScratch();
  const [left, right] = tags;
  for (let first = 0; first < out.length; first += TAG_BYTES * PIECE) {
    const length = Math.min(TAG_BYTES * PIECE, out.length - first);
    left.load(a, first, length);
    right.load(b, first, length);
    // Whole vectors: what lies behind the end is not read again.
    kernels.addInto(left.at, right.at, length);
    left.store(out, first, length);
  }
}

/** The XOR of messages of one length, at least one. */
export function xorAll(messages: readonly Uint8Array[]): Uint8Array {
  const total = Uint8Array.from(messages[0]!);
  for (const message of messages.slice(1)) xorBytes(total, total, message);
  return total;
}

/** out = a XOR b for shared bits. */
export function xorShares(out: AuthenticatedBits, a: AuthenticatedBits, b: AuthenticatedBits): void {
  xorBytes(out.bits, a.bits, b.bits);
  xorBytes(out.tags, a.tags, b.tags);
}

/** tags ^= bits * key, lane by lane, for public bits. */
export function addToTags(tags: Uint8Array, bits: Uint8Array, keyShare: Uint8Array): void {
  const at = theScratch();
  const [to] = at.tags;
  const [by] = at.bits;
  at.key.load(keyShare, 0, TAG_BYTES);
  inPieces(8 * bits.length, (first, count) => {
    to.load(tags, TAG_BYTES * first, TAG_BYTES * count);
    by.load(bits, first / 8, count / 8);
    at.kernels.addElement(to.at, by.at, at.key.at, count);
    to.store(tags, TAG_BYTES * first, TAG_BYTES * count);
  });
}

/** out = NOT a, as adding 1 in every lane. */
export function complement(out: AuthenticatedBits, a: AuthenticatedBits, keyShare: Uint8Array, first: boolean): void {
  out.bits.set(a.bits);
  if (first) for (let i = 0; i < out.bits.length; i++) out.bits[i]! ^= 0xff;
  const at = theScratch();
  const [to] = at.tags;
  at.key.load(keyShare, 0, TAG_BYTES);
  inPieces(a.length, (from, count) => {
    to.load(a.tags, TAG_BYTES * from, TAG_BYTES * count);
    at.kernels.addElement(to.at, at.ones.at, at.key.at, count);
    to.store(out.tags, TAG_BYTES * from, TAG_BYTES * count);
  });
}

/** out = a where the public bits are 1, zero elsewhere. */
export function maskShares(out: AuthenticatedBits, a: AuthenticatedBits, bits: Uint8Array): void {
  for (let i = 0; i < bits.length; i++) out.bits[i] = a.bits[i]! & bits[i]!;
  const at = theScratch();
  const [to, from] = at.tags;
  const [by] = at.bits;
  inPieces(a.length, (first, count) => {
    to.fill(0);
    from.load(a.tags, TAG_BYTES * first, TAG_BYTES * count);
    by.load(bits, first / 8, count / 8);
    at.kernels.addSelected(to.at, by.at, from.at, count);
    to.store(out.tags, TAG_BYTES * first, TAG_BYTES * count);
  });
}

/** Lane j of `out` becomes lane `from[j]` of `a`, or zero where there is none. */
export function gatherShares(out: AuthenticatedBits, a: AuthenticatedBits, from: Uint32Array): void {
  out.bits.fill(0);
  out.tags.fill(0);
  from.forEach((source, lane) => {
    if (source === NOWHERE) return;
    out.bits[lane >> 3]! |= ((a.bits[source >> 3]! >> (source & 7)) & 1) << (lane & 7);
    out.tags.set(a.tags.subarray(TAG_BYTES * source, TAG_BYTES * (source + 1)), TAG_BYTES * lane);
  });
}

function multiplyBits(a: Uint8Array, b: Uint8Array, c: Uint8Array, d: Uint8Array, e: Uint8Array, first: number): void {
  for (let i = 0; i < d.length; i++) {
    const eByte = e[i]!;
    c[i]! ^= (d[i]! & (b[i]! ^ (eByte & first))) ^ (eByte & a[i]!);
  }
}

/**
 * One AND after its openings d = x + a and e = y + b: the share of the product
 *
 *     z = c + d b + e a + d e
 *
 * goes into `triple.c`, and what is left of the tags of d and e once d Delta and e Delta are taken off goes into the tags
 * of `triple.a` and `triple.b`: shares of zero, if nobody lied.
 */
export function multiply(
  { a, b, c }: Triples,
  x: AuthenticatedBits,
  y: AuthenticatedBits,
  d: Uint8Array,
  e: Uint8Array,
  keyShare: Uint8Array,
  first: boolean,
): void {
  multiplyBits(a.bits, b.bits, c.bits, d, e, first ? 0xff : 0);
  const at = theScratch();
  const { kernels } = at;
  const [ta, tb, tc, tx, ty] = at.tags;
  const [bd, be] = at.bits;
  at.key.load(keyShare, 0, TAG_BYTES);
  const operands = [
    [ta, a],
    [tb, b],
    [tc, c],
    [tx, x],
    [ty, y],
  ] as const;
  inPieces(a.length, (from, count) => {
    const [start, length] = [TAG_BYTES * from, TAG_BYTES * count];
    for (const [slot, { tags }] of operands) slot.load(tags, start, length);
    bd.load(d, from / 8, count / 8);
    be.load(e, from / 8, count / 8);
    kernels.addSelected(tc.at, be.at, ta.at, count);
    kernels.addElement(tb.at, be.at, at.key.at, count);
    // d (m_b + e Delta_i) = d m_b + d e Delta_i.
    kernels.addSelected(tc.at, bd.at, tb.at, count);
    kernels.addElement(ta.at, bd.at, at.key.at, count);
    kernels.addInto(ta.at, tx.at, length);
    kernels.addInto(tb.at, ty.at, length);
    for (const [slot, { tags }] of operands.slice(0, 3)) slot.store(tags, start, length);
  });
}
