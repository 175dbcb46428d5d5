import { D, HALF, ONE, TWO_D_TWO, ZERO } from './constants';
import { PAIR, mul, square } from './field';
import {
  add,
  butterfly,
  copy,
  fromWords,
  invert,
  laneMask,
  negateLanes,
  subtract,
  swapLanes,
  toWords,
  zip,
  zipHigh,
  zipLow,
} from './pair';

/**
 * Points of the twisted Edwards curve -x^2 + y^2 = 1 + d x^2 y^2 as two pairs, 160 bytes.
 *
 * Extended (X : Y : Z : T), T Z = X Y:    (X, Y), (T, Z).
 * Halved affine Niels, for addends:       ((y - x) / 2, (y + x) / 2), (d x y, 1).
 *
 * The formulas are those of Hisil, Wong, Carter, Dawson, "Twisted Edwards Curves Revisited" (ASIACRYPT 2008), complete
 * for this curve. Their eight products (seven against halved Niels: the factor of Z is 1) fall into four pairs.
 */
export const POINT: usize = 160;

const U: usize = memory.data(80, 16);
const V: usize = memory.data(80, 16);
const W: usize = memory.data(80, 16);
const ADDEND: usize = memory.data(160, 16);

/** The end of every formula. From (E, H) and (F, G): X = E F, Y = G H, T = E H, Z = F G. (F, G) may be four units. */
function finish(r: usize, eh: usize, fg: usize): void {
  mul(r, fg, eh);
  zip(W, eh, eh, fg);
  mul(r + PAIR, W, eh);
}

export function copyPoint(r: usize, a: usize): void {
  copy(r, a);
  copy(r + PAIR, a + PAIR);
}

export function setIdentity(r: usize): void {
  zipLow(r, ZERO, ONE);
  copy(r + PAIR, r);
}

/** Loads a Niels point into ADDEND, negated if asked: -P swaps y - x with y + x and negates d x y. No branch. */
function loadNiels(niels: usize, negative: bool): void {
  const m = i64x2.splat(-(<i64>negative));
  const lane0 = v128.and(m, i64x2.splat(0xffffffff));
  loadNielsVector(ADDEND, niels, m, lane0);
  loadNielsVector(ADDEND + 16, niels + 16, m, lane0);
  loadNielsVector(ADDEND + 32, niels + 32, m, lane0);
  loadNielsVector(ADDEND + 48, niels + 48, m, lane0);
  loadNielsVector(ADDEND + 64, niels + 64, m, lane0);
}

function loadNielsVector(r: usize, niels: usize, m: v128, lane0: v128): void {
  const v = v128.load(niels);
  const t = v128.load(niels, 80);
  v128.store(r, v128.bitselect(i32x4.shuffle(v, v, 1, 0, 3, 2), v, m));
  v128.store(r, i32x4.sub(v128.xor(t, lane0), lane0), 80);
}

/** p = p +- niels. */
export function addNiels(p: usize, niels: usize, negative: bool): void {
  loadNiels(niels, negative);
  butterfly(U, p);
  mul(U, U, ADDEND); // (A, B)
  mul(V, p + PAIR, ADDEND + PAIR); // (C, D)
  butterfly(U, U); // (E, H) = (B - A, B + A)
  butterfly(V, V); // (F, G) = (D - C, D + C)
  finish(p, U, V);
}

/** p = +- niels: half the work of adding it to the identity. */
export function setNiels(p: usize, niels: usize, negative: bool): void {
  loadNiels(niels, negative);
  butterfly(p, ADDEND); // (x, y)
  zipLow(U, p, ONE);
  zipHigh(V, p, ONE);
  mul(p + PAIR, U, V); // (x y, 1)
  mul(p, p, ONE); // back to one unit
}

/** r = a + b; r may alias either. */
export function addPoints(r: usize, a: usize, b: usize): void {
  butterfly(U, a);
  butterfly(V, b);
  mul(U, U, V); // (A, B)
  mul(V, a + PAIR, b + PAIR);
  mul(V, V, TWO_D_TWO); // (C, D)
  butterfly(U, U);
  butterfly(V, V);
  finish(r, U, V);
}

/** r = 2 a; r may alias a. */
export function double(r: usize, a: usize): void {
  square(U, a); // (X^2, Y^2)
  zipLow(V, a, a);
  zipHigh(W, a, a);
  add(V, V, W); // X + Y in both lanes
  zipHigh(W, a + PAIR, V); // (Z, X + Y)
  square(V, W); // (Z^2, S)
  butterfly(U, U); // (G, H) = (Y^2 - X^2, Y^2 + X^2)
  zipLow(W, V, ZERO);
  add(V, V, W); // (2 Z^2, S)
  subtract(V, V, U); // (F, E) = (2 Z^2 - G, S - H): F is four units, E three
  zipLow(W, V, U); // (F, G)
  copy(ADDEND, W);
  zipHigh(W, V, U); // (E, H)
  copy(V, W);
  finish(r, V, ADDEND);
}

/** r = a if positive, else -a: (-X : Y : Z : -T). */
export function signed(r: usize, a: usize, negative: bool): void {
  const mask = laneMask(negative, false);
  negateLanes(r, a, mask);
  negateLanes(r + PAIR, a + PAIR, mask);
}

/** Most points that `normalize` takes at once. */
export const BATCH: usize = 256;
const PREFIX: usize = memory.data(256 * 80, 16);
const INVERSE: usize = memory.data(80, 16);

/**
 * Turns 1 <= n <= 256 extended points, in place, into halved Niels form, with one inversion (Montgomery's trick; it runs in
 * lane 1, where Z is; lane 0 is idle).
 */
export function normalize(points: usize, n: usize): void {
  copy(PREFIX, points + PAIR);
  for (let i: usize = 1; i < n; i++) mul(PREFIX + i * PAIR, PREFIX + (i - 1) * PAIR, points + i * POINT + PAIR);
  invert(INVERSE, PREFIX + (n - 1) * PAIR);
  for (let i: usize = n; i-- > 0;) {
    const p = points + i * POINT;
    if (i > 0) {
      mul(U, INVERSE, PREFIX + (i - 1) * PAIR);
      mul(INVERSE, INVERSE, p + PAIR);
    } else {
      copy(U, INVERSE);
    }
    zipHigh(U, U, U);
    mul(V, p, U);
    toNiels(p);
  }
}

/** p = the halved Niels form of V = (x, y). */
function toNiels(p: usize): void {
  swapLanes(W, V);
  mul(W, V, W);
  mul(W, W, D); // d x y
  zipLow(p + PAIR, W, ONE);
  butterfly(V, V);
  mul(p, V, HALF);
}

/** A halved Niels point from its coordinates x, y, 32 bytes each. Does not ask whether they are those of a point. */
export function loadAffine(niels: usize, bytes: usize): void {
  fromWords(V, 0, bytes);
  fromWords(V, 1, bytes + 32);
  toNiels(niels);
}

/** The canonical coordinates x, y of a halved Niels point. */
export function storeAffine(bytes: usize, niels: usize): void {
  butterfly(V, niels);
  toWords(bytes, V, 0);
  toWords(bytes + 32, V, 1);
}
