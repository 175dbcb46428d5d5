/**
 * Scalars mod l = 2^252 + DELTA, the order of ristretto255, DELTA = 27742317777372353535851937790883648493: 32 bytes
 * each, little-endian, canonical (below l) unless said otherwise. All loops are free of branches on values, but for
 * cases of probability 2^-124 under uniform inputs.
 */
const DELTA0: u64 = 0x5812631a5cf5d3ed;
const DELTA1: u64 = 0x14def9dea2f79cd6;
const TOP: u64 = 1 << 60;
const LOW60: u64 = TOP - 1;

/** Stores w < 2 l mod l: w - l if w >= 2^252, unless that is negative (w in [2^252, l): all but never), else w. */
function storeReduced(a: usize, w0: u64, w1: u64, w2: u64, w3: u64): void {
  const mask: u64 = 0 - u64(w3 >= TOP);
  const d0 = DELTA0 & mask;
  const d1 = DELTA1 & mask;
  const r0 = w0 - d0;
  const b0 = u64(w0 < d0);
  const s1 = w1 - d1;
  const r1 = s1 - b0;
  const b1 = u64(w1 < d1) | u64(s1 < b0);
  const r2 = w2 - b1;
  const b2 = u64(w2 < b1);
  const r3 = w3 - (TOP & mask) - b2;
  if (<i64>r3 < 0) {
    store<u64>(a, w0);
    store<u64>(a, w1, 8);
    store<u64>(a, w2, 16);
    store<u64>(a, w3, 24);
    return;
  }
  store<u64>(a, r0);
  store<u64>(a, r1, 8);
  store<u64>(a, r2, 16);
  store<u64>(a, r3, 24);
}

/** Stores w, a number in (-l, l) as 256-bit two's complement, mod l. */
function storeLifted(a: usize, w0: u64, w1: u64, w2: u64, w3: u64): void {
  const mask: u64 = 0 - (w3 >> 63);
  const d1 = DELTA1 & mask;
  const r0 = w0 + (DELTA0 & mask);
  const c0 = u64(r0 < w0);
  const s1 = w1 + d1;
  const r1 = s1 + c0;
  const c1 = u64(s1 < d1) | u64(r1 < c0);
  const r2 = w2 + c1;
  const c2 = u64(r2 < c1);
  store<u64>(a, r0);
  store<u64>(a, r1, 8);
  store<u64>(a, r2, 16);
  store<u64>(a, w3 + (TOP & mask) + c2, 24);
}

function addOne(a: usize, b: usize, topMask: u64): void {
  const a0 = load<u64>(a);
  const a1 = load<u64>(a, 8);
  const a2 = load<u64>(a, 16);
  const w0 = a0 + load<u64>(b);
  const c0 = u64(w0 < a0);
  const s1 = a1 + load<u64>(b, 8);
  const w1 = s1 + c0;
  const c1 = u64(s1 < a1) | u64(w1 < c0);
  const s2 = a2 + load<u64>(b, 16);
  const w2 = s2 + c1;
  const c2 = u64(s2 < a2) | u64(w2 < c1);
  storeReduced(a, w0, w1, w2, load<u64>(a, 24) + (load<u64>(b, 24) & topMask) + c2);
}

function subtractOne(a: usize, b: usize, topMask: u64): void {
  const a0 = load<u64>(a);
  const a1 = load<u64>(a, 8);
  const a2 = load<u64>(a, 16);
  const b0 = load<u64>(b);
  const b1 = load<u64>(b, 8);
  const b2 = load<u64>(b, 16);
  const c0 = u64(a0 < b0);
  const s1 = a1 - b1;
  const c1 = u64(a1 < b1) | u64(s1 < c0);
  const s2 = a2 - b2;
  const c2 = u64(a2 < b2) | u64(s2 < c1);
  storeLifted(a, a0 - b0, s1 - c0, s2 - c1, load<u64>(a, 24) - (load<u64>(b, 24) & topMask) - c2);
}

/** One loop for both kinds of addend, so that the compiler puts `addOne` into it: a call for each scalar doubles the time. */
function addEach(a: usize, b: usize, n: usize, topMask: u64): void {
  for (const end = a + (n << 5); a < end; a += 32, b += 32) addOne(a, b, topMask);
}

function subtractEach(a: usize, b: usize, n: usize, topMask: u64): void {
  for (const end = a + (n << 5); a < end; a += 32, b += 32) subtractOne(a, b, topMask);
}

/** a_i := a_i + b_i mod l, n scalars. */
export function addScalars(a: usize, b: usize, n: usize): void {
  addEach(a, b, n, -1);
}

/** a_i := a_i - b_i mod l. */
export function subtractScalars(a: usize, b: usize, n: usize): void {
  subtractEach(a, b, n, -1);
}

/** a_i := a_i + (b_i mod 2^252) mod l: b is raw pseudo-random bytes. */
export function addMasks(a: usize, b: usize, n: usize): void {
  addEach(a, b, n, LOW60);
}

/** a_i := a_i - (b_i mod 2^252) mod l. */
export function subtractMasks(a: usize, b: usize, n: usize): void {
  subtractEach(a, b, n, LOW60);
}

/** Cells of a pass, whose scalars stay in the first-level cache between two loops. */
const PASS: usize = 256;

/**
 * a_i := a_i + b'_i + c'_i mod l, b' being b for a flip of 0 and 2^252 - 1 - b for a flip of -1, of which 252 bits count. a_i is
 * below l + 2^128 + 2 (1 + DELTA) and not reduced, so that the sum is below 2^254 and one reduction is enough.
 */
function addFlipped(a: usize, b: usize, flipB: u64, c: usize, flipC: u64, n: usize): void {
  for (const end = a + (n << 5); a < end; a += 32, b += 32, c += 32) {
    const b0 = load<u64>(b) ^ flipB;
    const b1 = load<u64>(b, 8) ^ flipB;
    const b2 = load<u64>(b, 16) ^ flipB;
    const s0 = load<u64>(a) + b0;
    const u1 = load<u64>(a, 8) + b1;
    const s1 = u1 + u64(s0 < b0);
    const f1 = u64(u1 < b1) | u64(s1 < u1);
    const u2 = load<u64>(a, 16) + b2;
    const s2 = u2 + f1;
    const f2 = u64(u2 < b2) | u64(s2 < u2);
    const s3 = load<u64>(a, 24) + ((load<u64>(b, 24) ^ flipB) & LOW60) + f2;
    const c0 = load<u64>(c) ^ flipC;
    const c1 = load<u64>(c, 8) ^ flipC;
    const c2 = load<u64>(c, 16) ^ flipC;
    const w0 = s0 + c0;
    const v1 = s1 + c1;
    const w1 = v1 + u64(w0 < c0);
    const g1 = u64(v1 < c1) | u64(w1 < v1);
    const v2 = s2 + c2;
    const w2 = v2 + g1;
    const g2 = u64(v2 < c2) | u64(w2 < v2);
    const w3 = s3 + ((load<u64>(c, 24) ^ flipC) & LOW60) + g2;
    // Minus q l for q = floor(w / 2^252) <= 3; 3 DELTA0 is the one product that has a carry.
    const q = w3 >> 60;
    const d0 = DELTA0 * q;
    const d1 = DELTA1 * q + u64(q == 3);
    const r0 = w0 - d0;
    const h0 = u64(w0 < d0);
    const x1 = w1 - d1;
    const r1 = x1 - h0;
    const h1 = u64(w1 < d1) | u64(x1 < h0);
    const r2 = w2 - h1;
    const r3 = (w3 & LOW60) - u64(w2 < h1);
    // Below 0 with probability 2^-124: then l is added.
    if (<i64>r3 < 0) {
      storeLifted(a, r0, r1, r2, r3);
      continue;
    }
    store<u64>(a, r0);
    store<u64>(a, r1, 8);
    store<u64>(a, r2, 16);
    store<u64>(a, r3, 24);
  }
}

/** Of 1 + DELTA for each flip that is set, since -b = (2^252 - 1 - b) + 1 + DELTA mod l. 2 (DELTA0 + 1) is below 2^64. */
function flipsLow(flipB: u64, flipC: u64): u64 {
  return (DELTA0 + 1) * ((flipB & 1) + (flipC & 1));
}
function flipsHigh(flipB: u64, flipC: u64): u64 {
  return DELTA1 * ((flipB & 1) + (flipC & 1));
}

/** out_i := cell_i + l + k, not reduced; k is below 2^127. */
function liftCells(out: usize, cells: usize, k0: u64, k1: u64, n: usize): void {
  const l0 = DELTA0 + k0;
  const l1 = DELTA1 + k1 + u64(l0 < k0);
  for (const end = cells + (n << 4); cells < end; cells += 16, out += 32) {
    const x0 = load<u64>(cells);
    const x1 = load<u64>(cells, 8);
    const sign: u64 = (<i64>x1) >> 63;
    const a0 = x0 + l0;
    const y1 = x1 + l1;
    const a1 = y1 + u64(a0 < x0);
    const e1 = u64(y1 < x1) | u64(a1 < y1);
    const a2 = sign + e1;
    store<u64>(out, a0);
    store<u64>(out, a1, 8);
    store<u64>(out, a2, 16);
    store<u64>(out, sign + TOP + u64(a2 < e1), 24);
  }
}

/** a_i := a_i + k, not reduced; k is below 2^128. */
function lift(a: usize, k0: u64, k1: u64, n: usize): void {
  for (const end = a + (n << 5); a < end; a += 32) {
    const a0 = load<u64>(a) + k0;
    const y1 = load<u64>(a, 8) + k1;
    const a1 = y1 + u64(a0 < k0);
    const a2 = load<u64>(a, 16);
    const b2 = a2 + (u64(y1 < k1) | u64(a1 < y1));
    store<u64>(a, a0);
    store<u64>(a, a1, 8);
    store<u64>(a, b2, 16);
    store<u64>(a, load<u64>(a, 24) + u64(b2 < a2), 24);
  }
}

/** n scalars: cells_i +- b_i +- c_i mod l, for raw pseudo-random b and c, of which 252 bits count. */
export function maskCells(
  out: usize,
  cells: usize,
  b: usize,
  negativeB: bool,
  c: usize,
  negativeC: bool,
  n: usize,
): void {
  const flipB: u64 = 0 - <u64>negativeB;
  const flipC: u64 = 0 - <u64>negativeC;
  for (let done: usize = 0; done < n; done += PASS) {
    const part = min(PASS, n - done);
    const at = done << 5;
    liftCells(out + at, cells + (done << 4), flipsLow(flipB, flipC), flipsHigh(flipB, flipC), part);
    addFlipped(out + at, b + at, flipB, c + at, flipC, part);
  }
}

/** n canonical scalars, in place: a_i +- b_i +- c_i mod l, as `maskCells`. */
export function maskScalars(a: usize, b: usize, negativeB: bool, c: usize, negativeC: bool, n: usize): void {
  const flipB: u64 = 0 - <u64>negativeB;
  const flipC: u64 = 0 - <u64>negativeC;
  for (let done: usize = 0; done < n; done += PASS) {
    const part = min(PASS, n - done);
    const at = done << 5;
    lift(a + at, flipsLow(flipB, flipC), flipsHigh(flipB, flipC), part);
    addFlipped(a + at, b + at, flipB, c + at, flipC, part);
  }
}

/** Scalars from n cells, signed 128-bit two's complement: x or l + x. */
export function cellsToScalars(scalars: usize, cells: usize, n: usize): void {
  for (const end = cells + (n << 4); cells < end; cells += 16, scalars += 32) {
    const high = load<i64>(cells, 8);
    const sign: u64 = high >> 63;
    storeLifted(scalars, load<u64>(cells), high, sign, sign);
  }
}

/** Cells from n canonical scalars, centred about zero; false if any is outside (-2^119, 2^119). */
export function scalarsToCells(cells: usize, scalars: usize, n: usize): bool {
  let bad: u64 = 0;
  for (const end = cells + (n << 4); cells < end; cells += 16, scalars += 32) {
    const v0 = load<u64>(scalars);
    const v1 = load<u64>(scalars, 8);
    const v2 = load<u64>(scalars, 16);
    const v3 = load<u64>(scalars, 24);
    // A scalar that is no small positive number is taken as negative: subtract l, and see whether the sign fills the top.
    const mask: u64 = 0 - u64(v3 != 0);
    const d0 = DELTA0 & mask;
    const d1 = DELTA1 & mask;
    const x0 = v0 - d0;
    const b0 = u64(v0 < d0);
    const s1 = v1 - d1;
    const x1 = s1 - b0;
    const b1 = u64(v1 < d1) | u64(s1 < b0);
    const x2 = v2 - b1;
    const b2 = u64(v2 < b1);
    const x3 = v3 - (TOP & mask) - b2;
    store<u64>(cells, x0);
    store<u64>(cells, x1, 8);
    bad |= (x3 ^ mask) | (x2 ^ mask) | ((x1 ^ mask) >> 55) | u64(isLeastCell(x0, x1));
  }
  return bad == 0;
}

/** -2^119 fits the bit pattern but not the open interval. */
function isLeastCell(x0: u64, x1: u64): bool {
  return (x0 | (x1 ^ 0xff80000000000000)) == 0;
}

/** Are all n cells in (-2^119, 2^119)? */
export function cellsInRange(cells: usize, n: usize): bool {
  let bad: u64 = 0;
  for (const end = cells + (n << 4); cells < end; cells += 16) {
    const x1 = load<u64>(cells, 8);
    bad |= ((x1 ^ ((<i64>x1) >> 63)) >> 55) | u64(isLeastCell(load<u64>(cells), x1));
  }
  return bad == 0;
}

function isCanonical(a: usize): bool {
  const w3 = load<u64>(a, 24);
  if (w3 != TOP) return w3 < TOP;
  if (load<u64>(a, 16) != 0) return false;
  const w1 = load<u64>(a, 8);
  return w1 != DELTA1 ? w1 < DELTA1 : load<u64>(a) < DELTA0;
}

/** Are n scalars all below l? Looks at the top words only, and closer if one is 2^252 or more. */
export function scalarsCanonical(a: usize, n: usize): bool {
  let top: u64 = 0;
  const end = a + (n << 5);
  for (let p = a; p < end; p += 32) top |= load<u64>(p, 24);
  if (top >> 60 == 0) return true;
  for (let p = a; p < end; p += 32) if (!isCanonical(p)) return false;
  return true;
}

/** n canonical scalars, in place, to signed 256-bit numbers in [-l/2, l/2]. */
export function centreScalars(a: usize, n: usize): void {
  for (const end = a + (n << 5); a < end; a += 32) {
    const v0 = load<u64>(a);
    const v1 = load<u64>(a, 8);
    const v2 = load<u64>(a, 16);
    const v3 = load<u64>(a, 24);
    // Bits 251 and 252: a number from 2^251 on is nearer to l than to 0 (or within DELTA of the middle).
    const mask: u64 = 0 - u64(v3 >= 1 << 59);
    const d0 = DELTA0 & mask;
    const d1 = DELTA1 & mask;
    const b0 = u64(v0 < d0);
    const s1 = v1 - d1;
    const b1 = u64(v1 < d1) | u64(s1 < b0);
    const b2 = u64(v2 < b1);
    store<u64>(a, v0 - d0);
    store<u64>(a, s1 - b0, 8);
    store<u64>(a, v2 - b1, 16);
    store<u64>(a, v3 - (TOP & mask) - b2, 24);
  }
}

/** n cells to signed 256-bit numbers. */
export function widenCells(out: usize, cells: usize, n: usize): void {
  for (const end = cells + (n << 4); cells < end; cells += 16, out += 32) {
    const high = load<i64>(cells, 8);
    store<u64>(out, load<u64>(cells));
    store<i64>(out, high, 8);
    store<i64>(out, high >> 63, 16);
    store<i64>(out, high >> 63, 24);
  }
}
