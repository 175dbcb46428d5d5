import { D, D_MINUS_ONE_SQ, INVSQRT_A_MINUS_D, ONE, ONE_MINUS_D_SQ, SQRT_AD_MINUS_ONE, SQRT_M1 } from './constants';
import { POINT, addPoints } from './edwards';
import { PAIR, mul, square } from './field';
import {
  absolute,
  add,
  copy,
  fromWords,
  isNegative,
  isZero,
  laneMask,
  negate,
  negateLanes,
  powP58,
  select,
  subtract,
  toWords,
  zeroLanes,
  zipHigh,
  zipLow,
} from './pair';

/** RFC 9496: square roots, encoding, decoding and the one-way map. Names are the RFC's, in lower case. */

const SCRATCH: usize = memory.data(20 * 80, 16);

function scratch(i: usize): usize {
  return SCRATCH + i * PAIR;
}

/** SQRT_RATIO_M1, section 4.2, in both lanes: sets r and returns the mask of the lanes where u / v was square. */
function sqrtRatio(r: usize, u: usize, v: usize): i64 {
  const v3 = scratch(0);
  const check = scratch(1);
  const t = scratch(2);
  square(v3, v);
  mul(v3, v3, v);
  square(t, v3);
  mul(t, t, v); // v^7
  mul(t, t, u);
  powP58(t, t);
  mul(t, t, v3);
  mul(t, t, u); // (u v^3) (u v^7)^((p - 5) / 8)
  square(check, t);
  mul(check, check, v);
  subtract(v3, check, u);
  const correct = zeroLanes(v3);
  add(v3, check, u);
  const flipped = zeroLanes(v3);
  mul(v3, u, SQRT_M1);
  add(v3, check, v3);
  const flippedI = zeroLanes(v3);
  mul(v3, t, SQRT_M1);
  select(t, v3, t, flipped | flippedI);
  absolute(r, t);
  return correct | flipped;
}

/** MAP, section 4.3.4, of the two field elements of pair `t` at once; the points X, Y, Z, T lane by lane. */
function mapPair(x: usize, y: usize, z: usize, tt: usize, t: usize): void {
  const r = scratch(3);
  const u = scratch(4);
  const v = scratch(5);
  const s = scratch(6);
  const w = scratch(7);
  const c = scratch(8);
  square(r, t);
  mul(r, r, SQRT_M1);
  add(u, r, ONE);
  mul(u, u, ONE_MINUS_D_SQ);
  mul(v, r, D);
  add(v, v, ONE);
  negate(v, v);
  add(w, r, D);
  mul(v, v, w);
  const wasSquare = sqrtRatio(s, u, v);
  mul(w, s, t);
  absolute(w, w);
  negate(w, w);
  select(s, s, w, wasSquare);
  negate(c, ONE);
  select(c, c, r, wasSquare);
  subtract(w, r, ONE);
  mul(c, w, c);
  mul(c, c, D_MINUS_ONE_SQ);
  subtract(c, c, v); // N
  add(w, s, s);
  mul(u, w, v); // w0
  mul(v, c, SQRT_AD_MINUS_ONE); // w1
  square(s, s);
  subtract(w, ONE, s); // w2
  add(s, ONE, s); // w3
  mul(x, u, s);
  mul(y, w, v);
  mul(z, v, s);
  mul(tt, u, w);
}

/** Element derivation, section 4.3.4: 64 uniform bytes to an extended point. */
export function derive(point: usize, bytes: usize): void {
  const t = scratch(9);
  const x = scratch(10);
  const y = scratch(11);
  const z = scratch(12);
  const tt = scratch(13);
  const first = scratch(14);
  const second = scratch(16);
  fromWords(t, 0, bytes);
  fromWords(t, 1, bytes + 32);
  mapPair(x, y, z, tt, t);
  zipLow(first, x, y);
  zipLow(first + PAIR, tt, z);
  zipHigh(second, x, y);
  zipHigh(second + PAIR, tt, z);
  addPoints(point, first, second);
}

/** ENCODE, section 4.3.2: of lane 0, and lane 1 runs along. No branch depends on the point. */
export function encode(bytes: usize, point: usize): void {
  const x0 = scratch(3);
  const y0 = scratch(4);
  const z0 = scratch(5);
  const t0 = scratch(6);
  const u1 = scratch(7);
  const u2 = scratch(8);
  const root = scratch(9);
  const den1 = scratch(10);
  const den2 = scratch(11);
  const zInverse = scratch(12);
  const s = scratch(13);
  zipLow(x0, point, point);
  zipHigh(y0, point, point);
  zipLow(t0, point + PAIR, point + PAIR);
  zipHigh(z0, point + PAIR, point + PAIR);
  add(u1, z0, y0);
  subtract(s, z0, y0);
  mul(u1, u1, s);
  mul(u2, x0, y0);
  square(s, u2);
  mul(s, s, u1);
  sqrtRatio(root, ONE, s);
  mul(den1, root, u1);
  mul(den2, root, u2);
  mul(zInverse, den1, den2);
  mul(zInverse, zInverse, t0);
  mul(s, t0, zInverse);
  const rotate = laneMask(isNegative(s, 0), true);
  mul(s, x0, SQRT_M1);
  mul(u1, y0, SQRT_M1);
  select(x0, u1, x0, rotate);
  select(y0, s, y0, rotate);
  mul(s, den1, INVSQRT_A_MINUS_D);
  select(den2, s, den2, rotate);
  mul(s, x0, zInverse);
  negateLanes(y0, y0, laneMask(isNegative(s, 0), true));
  subtract(s, z0, y0);
  mul(s, s, den2);
  absolute(s, s);
  toWords(bytes, s, 0);
}

const CANONICAL: usize = memory.data(32, 16);

/** DECODE, section 4.3.1: false for anything but the one encoding of an element. */
export function decode(point: usize, bytes: usize): bool {
  const s = scratch(3);
  const ss = scratch(4);
  const u1 = scratch(5);
  const u2 = scratch(6);
  const u22 = scratch(7);
  const v = scratch(8);
  const root = scratch(9);
  const x = scratch(10);
  const y = scratch(11);
  const t = scratch(12);
  fromWords(s, 0, bytes);
  fromWords(s, 1, bytes);
  toWords(CANONICAL, s, 0);
  for (let i: usize = 0; i < 32; i += 8) {
    if (load<u64>(CANONICAL + i) != load<u64>(bytes + i)) return false;
  }
  if (load<u8>(bytes) & 1) return false;
  square(ss, s);
  subtract(u1, ONE, ss);
  add(u2, ONE, ss);
  square(u22, u2);
  square(v, u1);
  mul(v, v, D);
  add(v, v, u22);
  negate(v, v);
  mul(t, v, u22);
  const wasSquare = sqrtRatio(root, ONE, t);
  mul(x, root, u2); // den_x
  mul(y, root, x);
  mul(y, y, v); // den_y
  mul(y, u1, y);
  add(t, s, s);
  mul(x, t, x); // 2 s is four units: first factor
  absolute(x, x);
  mul(t, x, y);
  if (wasSquare == 0 || isNegative(t, 0) || isZero(y, 0)) return false;
  zipLow(point, x, y);
  zipLow(point + PAIR, t, ONE);
  return true;
}
