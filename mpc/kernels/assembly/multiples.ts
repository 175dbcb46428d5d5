import { HALF, ONE, ZERO } from './constants';
import { digit, offsetScalars } from './digits';
import { POINT, addNiels, addPoints, copyPoint, double, normalize, setIdentity, signed } from './edwards';
import { PAIR } from './field';
import { MULTIPLES } from './layout';
import { copy, zipLow } from './pair';
import { decode, derive, encode } from './ristretto';

/**
 * Vectors of elements and their multiples by secret scalars. Signed digits of four bits; every look-up reads all eight
 * multiples of its window and keeps one by masks, and no branch depends on a scalar.
 */

const WINDOW: u32 = 4;
const WINDOWS: u32 = 64;
/** Multiples of a window: 1 to 8 times. */
const ROW: usize = 8 * 160;
/** Points whose multiples are normalised together. */
const TOGETHER: usize = 32;

/** Halved affine Niels form of the identity. */
const IDENTITY: usize = memory.data(160, 16);
copy(IDENTITY, HALF);
zipLow(IDENTITY + PAIR, ZERO, ONE);

const CHOSEN: usize = memory.data(160, 16);
const STEP: usize = memory.data(160, 16);

/** CHOSEN = j times the point whose multiples lie at `row`, 0 <= j <= 8. */
function choose(row: usize, j: u32): void {
  let c0 = v128.load(IDENTITY);
  let c1 = v128.load(IDENTITY, 16);
  let c2 = v128.load(IDENTITY, 32);
  let c3 = v128.load(IDENTITY, 48);
  let c4 = v128.load(IDENTITY, 64);
  let c5 = v128.load(IDENTITY, 80);
  let c6 = v128.load(IDENTITY, 96);
  let c7 = v128.load(IDENTITY, 112);
  let c8 = v128.load(IDENTITY, 128);
  let c9 = v128.load(IDENTITY, 144);
  for (let k: u32 = 1; k <= 8; k++, row += POINT) {
    const m = i64x2.splat(-(<i64>(j == k)));
    c0 = v128.bitselect(v128.load(row), c0, m);
    c1 = v128.bitselect(v128.load(row, 16), c1, m);
    c2 = v128.bitselect(v128.load(row, 32), c2, m);
    c3 = v128.bitselect(v128.load(row, 48), c3, m);
    c4 = v128.bitselect(v128.load(row, 64), c4, m);
    c5 = v128.bitselect(v128.load(row, 80), c5, m);
    c6 = v128.bitselect(v128.load(row, 96), c6, m);
    c7 = v128.bitselect(v128.load(row, 112), c7, m);
    c8 = v128.bitselect(v128.load(row, 128), c8, m);
    c9 = v128.bitselect(v128.load(row, 144), c9, m);
  }
  v128.store(CHOSEN, c0);
  v128.store(CHOSEN, c1, 16);
  v128.store(CHOSEN, c2, 32);
  v128.store(CHOSEN, c3, 48);
  v128.store(CHOSEN, c4, 64);
  v128.store(CHOSEN, c5, 80);
  v128.store(CHOSEN, c6, 96);
  v128.store(CHOSEN, c7, 112);
  v128.store(CHOSEN, c8, 128);
  v128.store(CHOSEN, c9, 144);
}

/** p += d times the point whose multiples lie at `row`, -8 <= d <= 8. */
function addMultiple(p: usize, row: usize, d: i32): void {
  choose(row, abs(d));
  addNiels(p, CHOSEN, d < 0);
}

/** 1 to 8 times the point, extended, at `row`. */
function multiplesOf(row: usize, point: usize): void {
  copyPoint(row, point);
  for (let j: usize = 1; j < 8; j++) addPoints(row + j * POINT, row + (j - 1) * POINT, point);
}

/** j 16^w times the point, for 1 <= j <= 8 and 0 <= w < 64, in Niels form at `table` + 160 (8 w + j - 1). */
export function tabulate(table: usize, point: usize): void {
  copyPoint(STEP, point);
  for (let w: usize = 0; w < <usize>WINDOWS; w++) {
    multiplesOf(table + w * ROW, STEP);
    double(STEP, table + w * ROW + 7 * POINT);
  }
  normalize(table, 256);
  normalize(table + 256 * POINT, 256);
}

/** points_i = x_i times the point at `point`, for n scalars below 2^253, which are overwritten. */
export function multiplyFixed(points: usize, point: usize, scalars: usize, n: usize): void {
  tabulate(MULTIPLES, point);
  offsetScalars(scalars, n, WINDOW, WINDOWS);
  for (let i: usize = 0; i < n; i++) {
    const p = points + i * POINT;
    const x = scalars + (i << 5);
    setIdentity(p);
    for (let w: u32 = 0; w < WINDOWS; w++) {
      addMultiple(p, MULTIPLES + <usize>w * ROW, digit(x, WINDOW * w, WINDOW, w == WINDOWS - 1));
    }
  }
}

/** points_i = x points_i for one scalar below 2^253, which is overwritten. */
export function multiplyEach(points: usize, scalar: usize, n: usize): void {
  offsetScalars(scalar, 1, WINDOW, WINDOWS);
  for (let first: usize = 0; first < n; first += TOGETHER) {
    const m = min(TOGETHER, n - first);
    for (let i: usize = 0; i < m; i++) multiplesOf(MULTIPLES + i * ROW, points + (first + i) * POINT);
    normalize(MULTIPLES, 8 * m);
    for (let i: usize = 0; i < m; i++) {
      const p = points + (first + i) * POINT;
      setIdentity(p);
      for (let w: i32 = WINDOWS - 1; w >= 0; w--) {
        if (w < <i32>WINDOWS - 1) for (let k: u32 = 0; k < WINDOW; k++) double(p, p);
        addMultiple(p, MULTIPLES + i * ROW, digit(scalar, WINDOW * w, WINDOW, w == WINDOWS - 1));
      }
    }
  }
}

export function addEach(points: usize, addends: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) addPoints(points + i * POINT, points + i * POINT, addends + i * POINT);
}

export function subtractEach(points: usize, addends: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) {
    signed(STEP, addends + i * POINT, true);
    addPoints(points + i * POINT, points + i * POINT, STEP);
  }
}

/** Element derivation from 64 uniform bytes each. */
export function deriveEach(points: usize, uniform: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) derive(points + i * POINT, uniform + (i << 6));
}

/** False if one of the encodings is not valid. */
export function decodeEach(points: usize, bytes: usize, n: usize): bool {
  let valid = true;
  for (let i: usize = 0; i < n; i++) valid = decode(points + i * POINT, bytes + (i << 5)) && valid;
  return valid;
}

export function encodeEach(bytes: usize, points: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) encode(bytes + (i << 5), points + i * POINT);
}
