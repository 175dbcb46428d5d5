import { PAIR, mul, square } from './field';

/** Everything about pairs that is not multiplication: sums, lanes, canonical bytes, powers. */

const LANE0: i64 = 0xffffffff;

export function copy(r: usize, a: usize): void {
  memory.copy(r, a, PAIR);
}

/** r = a + b. */
export function add(r: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < PAIR; i += 16) v128.store(r + i, i32x4.add(v128.load(a + i), v128.load(b + i)));
}

/** r = a - b. */
export function subtract(r: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < PAIR; i += 16) v128.store(r + i, i32x4.sub(v128.load(a + i), v128.load(b + i)));
}

/** r = -a. */
export function negate(r: usize, a: usize): void {
  for (let i: usize = 0; i < PAIR; i += 16) v128.store(r + i, i32x4.neg(v128.load(a + i)));
}

/** r = (a1 - a0, a1 + a0): the sum and difference that every Edwards formula begins with. Unrolled, as it is hot. */
export function butterfly(r: usize, a: usize): void {
  const lane0 = i64x2.splat(LANE0);
  butterflyVector(r, a, lane0);
  butterflyVector(r + 16, a + 16, lane0);
  butterflyVector(r + 32, a + 32, lane0);
  butterflyVector(r + 48, a + 48, lane0);
  butterflyVector(r + 64, a + 64, lane0);
}

function butterflyVector(r: usize, a: usize, lane0: v128): void {
  const v = v128.load(a);
  v128.store(r, i32x4.add(i32x4.shuffle(v, v, 1, 0, 3, 2), i32x4.sub(v128.xor(v, lane0), lane0)));
}

/** low = (a0, b0), high = (a1, b1); either may alias a or b. */
export function zip(low: usize, high: usize, a: usize, b: usize): void {
  const lane0 = i64x2.splat(LANE0);
  zipVector(low, high, a, b, lane0);
  zipVector(low + 16, high + 16, a + 16, b + 16, lane0);
  zipVector(low + 32, high + 32, a + 32, b + 32, lane0);
  zipVector(low + 48, high + 48, a + 48, b + 48, lane0);
  zipVector(low + 64, high + 64, a + 64, b + 64, lane0);
}

function zipVector(low: usize, high: usize, a: usize, b: usize, lane0: v128): void {
  const v = v128.load(a);
  const w = v128.load(b);
  v128.store(low, v128.or(v128.and(v, lane0), i64x2.shl(w, 32)));
  v128.store(high, v128.or(i64x2.shr_u(v, 32), v128.andnot(w, lane0)));
}

/** r = (a0, b0). */
export function zipLow(r: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < PAIR; i += 16) {
    const v = v128.and(v128.load(a + i), i64x2.splat(LANE0));
    v128.store(r + i, v128.or(v, i64x2.shl(v128.load(b + i), 32)));
  }
}

/** r = (a1, b1). */
export function zipHigh(r: usize, a: usize, b: usize): void {
  for (let i: usize = 0; i < PAIR; i += 16) {
    const v = v128.andnot(v128.load(b + i), i64x2.splat(LANE0));
    v128.store(r + i, v128.or(v, i64x2.shr_u(v128.load(a + i), 32)));
  }
}

/** r = (a1, a0). */
export function swapLanes(r: usize, a: usize): void {
  for (let i: usize = 0; i < PAIR; i += 16) {
    const v = v128.load(a + i);
    v128.store(r + i, i32x4.shuffle(v, v, 1, 0, 3, 2));
  }
}

/** A mask over the lanes of a pair: all ones in lane i where `lane_i` is true. */
export function laneMask(lane0: bool, lane1: bool): i64 {
  return (-(<i64>lane0) & LANE0) | (-(<i64>lane1) << 32);
}

/** r = the lanes of a where the mask is set, else those of b; no branch. */
export function select(r: usize, a: usize, b: usize, mask: i64): void {
  const m = i64x2.splat(mask);
  for (let i: usize = 0; i < PAIR; i += 16) v128.store(r + i, v128.bitselect(v128.load(a + i), v128.load(b + i), m));
}

function setLimb(r: usize, lane: usize, k: usize, value: u64): void {
  store<i32>(r + ((k >> 1) << 4) + ((k & 1) << 3) + (lane << 2), <i32>value);
}

function limb(a: usize, lane: usize, k: usize): i64 {
  return load<i32>(a + ((k >> 1) << 4) + ((k & 1) << 3) + (lane << 2));
}

/** Sets one lane from four little-endian words; bit 255 is ignored. The lane is two units. */
export function fromWords(r: usize, lane: usize, words: usize): void {
  for (let k: usize = 0; k < 10; k++) {
    const at: usize = (51 * k + 1) >> 1;
    const word = at >> 6;
    const shift = at & 63;
    let bits = load<u64>(words + (word << 3)) >> shift;
    if (shift > 38 && word < 3) bits |= load<u64>(words + (word << 3) + 8) << (64 - shift);
    setLimb(r, lane, k, bits & (k & 1 ? 0x1ffffff : 0x3ffffff));
  }
}

/** Writes one lane as the canonical 32 bytes. Takes up to four units. */
export function toWords(words: usize, a: usize, lane: usize): void {
  // + 8 p makes every limb positive.
  let c: i64 = 0;
  const limbs = FROZEN;
  for (let k: usize = 0; k < 10; k++) {
    const width: i64 = k & 1 ? 25 : 26;
    const ones: i64 = ((<i64>1) << width) - 1;
    const v = limb(a, lane, k) + ((k == 0 ? 0x3ffffed : ones) << 3) + c;
    store<i64>(limbs + (k << 3), v & ones);
    c = v >> width;
  }
  store<i64>(limbs, load<i64>(limbs) + 19 * c);
  // Now the value is below 2^255 + 2^10; adding 19 q, q = [value + 19 >= 2^255], and dropping bit 255 subtracts q p.
  let q: i64 = (load<i64>(limbs) + 19) >> 26;
  for (let k: usize = 1; k < 10; k++) q = (load<i64>(limbs + (k << 3)) + q) >> (k & 1 ? 25 : 26);
  c = 19 * q;
  memory.fill(words, 0, 32);
  for (let k: usize = 0; k < 10; k++) {
    const width: i64 = k & 1 ? 25 : 26;
    const v = load<i64>(limbs + (k << 3)) + c;
    const bits: u64 = v & (((<i64>1) << width) - 1);
    c = v >> width;
    const at: usize = (51 * k + 1) >> 1;
    const word = words + ((at >> 6) << 3);
    const shift = at & 63;
    store<u64>(word, load<u64>(word) | (bits << shift));
    if (shift > 38 && at < 192) store<u64>(word + 8, load<u64>(word + 8) | (bits >> (64 - shift)));
  }
}

const FROZEN: usize = memory.data(80, 16);
const CANONICAL: usize = memory.data(32, 16);

/** Is this lane 0 mod p? */
export function isZero(a: usize, lane: usize): bool {
  toWords(CANONICAL, a, lane);
  const low = load<u64>(CANONICAL) | load<u64>(CANONICAL, 8);
  return (low | load<u64>(CANONICAL, 16) | load<u64>(CANONICAL, 24)) == 0;
}

/** IS_NEGATIVE of RFC 9496: the low bit of the canonical form. */
export function isNegative(a: usize, lane: usize): bool {
  toWords(CANONICAL, a, lane);
  return (load<u8>(CANONICAL) & 1) != 0;
}

/** The mask of the lanes that are 0 mod p. */
export function zeroLanes(a: usize): i64 {
  return laneMask(isZero(a, 0), isZero(a, 1));
}

/** r = -a in the lanes of the mask, a in the others. */
export function negateLanes(r: usize, a: usize, mask: i64): void {
  const m = i64x2.splat(mask);
  for (let i: usize = 0; i < PAIR; i += 16) {
    v128.store(r + i, i32x4.sub(v128.xor(v128.load(a + i), m), m));
  }
}

/** r = CT_ABS(a) of RFC 9496, lane by lane. */
export function absolute(r: usize, a: usize): void {
  negateLanes(r, a, laneMask(isNegative(a, 0), isNegative(a, 1)));
}

function squareTimes(r: usize, a: usize, n: i32): void {
  square(r, a);
  for (let i = 1; i < n; i++) square(r, r);
}

const POWERS: usize = memory.data(4 * 80, 16);

/** r = a^(2^252 - 3), the exponent (p - 5) / 8, by 252 squarings and 11 multiplications. r may alias a. */
export function powP58(r: usize, a: usize): void {
  const x = POWERS;
  const y = POWERS + PAIR;
  const z = POWERS + 2 * PAIR;
  const base = POWERS + 3 * PAIR;
  copy(base, a);
  square(x, base); // 2
  squareTimes(y, x, 2); // 8
  mul(y, base, y); // 9
  mul(x, x, y); // 11
  square(x, x); // 22
  mul(x, y, x); // 2^5 - 1
  squareTimes(y, x, 5);
  mul(x, y, x); // 2^10 - 1
  squareTimes(y, x, 10);
  mul(y, y, x); // 2^20 - 1
  squareTimes(z, y, 20);
  mul(y, z, y); // 2^40 - 1
  squareTimes(y, y, 10);
  mul(x, y, x); // 2^50 - 1
  squareTimes(y, x, 50);
  mul(y, y, x); // 2^100 - 1
  squareTimes(z, y, 100);
  mul(y, z, y); // 2^200 - 1
  squareTimes(y, y, 50);
  mul(x, y, x); // 2^250 - 1
  squareTimes(x, x, 2);
  mul(r, x, base);
}

const CUBE: usize = memory.data(80, 16);

/** r = 1 / a lane by lane, 0 for 0: a^(p - 2) = (a^(2^252 - 3))^8 a^3. r may alias a. */
export function invert(r: usize, a: usize): void {
  square(CUBE, a);
  mul(CUBE, CUBE, a);
  powP58(r, a);
  squareTimes(r, r, 3);
  mul(r, r, CUBE);
}
