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

/**
 * k - q DELTA for q = -1, 0, 1, 2, as two's complement of three limbs, 32 bytes apart. k is 1 + DELTA for each mask that is
 * taken away: -b = (2^252 - 1 - b) + 1 + DELTA mod l.
 */
const CORRECTIONS: usize = memory.data(4 * 32, 8);

function setCorrections(flips: u64): void {
  // 2 (DELTA0 + 1) is below 2^64; with one DELTA more there is a carry.
  let c0 = (DELTA0 + 1) * flips + DELTA0;
  let c1 = DELTA1 * flips + DELTA1 + u64(c0 < DELTA0);
  let c2: u64 = 0;
  for (let at = CORRECTIONS, end = at + 4 * 32; at < end; at += 32) {
    store<u64>(at, c0);
    store<u64>(at, c1, 8);
    store<u64>(at, c2, 16);
    const b0 = u64(c0 < DELTA0);
    const s1 = c1 - DELTA1;
    const b1 = u64(c1 < DELTA1) | u64(s1 < b0);
    c0 -= DELTA0;
    c1 = s1 - b0;
    c2 -= b1;
  }
}

/** Stores r mod l, for r in (-l, 2 l) as 256-bit two's complement. */
function storeCorrected(a: usize, r0: u64, r1: u64, r2: u64, r3: u64): void {
  if (<i64>r3 < 0) {
    storeLifted(a, r0, r1, r2, r3);
    return;
  }
  const d0 = r0 - DELTA0;
  const b0 = u64(r0 < DELTA0);
  const s1 = r1 - DELTA1;
  const d1 = s1 - b0;
  const b1 = u64(r1 < DELTA1) | u64(s1 < b0);
  const d2 = r2 - b1;
  storeLifted(a, d0, d1, d2, r3 - TOP - u64(r2 < b1));
}

/**
 * n scalars: cells_i +- b_i +- c_i mod l, for raw pseudo-random b and c, of which 252 bits count. The masks are flipped instead
 * of negated, and what is missing comes with the one reduction: w = cell + b + c is q 2^252 and rest for a q from -1 to 2, and
 * rest + k - q DELTA is below 0, or 2^252 or more, with probability 2^-124.
 */
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
  setCorrections(<u64>negativeB + <u64>negativeC);
  for (const end = cells + (n << 4); cells < end; cells += 16, out += 32, b += 32, c += 32) {
    const b0 = load<u64>(b) ^ flipB;
    const c0 = load<u64>(c) ^ flipC;
    const p0 = load<u64>(cells) + b0;
    const w0 = p0 + c0;
    const carry0 = u64(p0 < b0) + u64(w0 < c0);
    const x1 = load<u64>(cells, 8);
    const b1 = load<u64>(b, 8) ^ flipB;
    const c1 = load<u64>(c, 8) ^ flipC;
    const p1 = x1 + b1;
    const t1 = p1 + c1;
    const w1 = t1 + carry0;
    const carry1 = u64(p1 < b1) + u64(t1 < c1) + u64(w1 < carry0);
    // A negative cell is its two limbs less 2^128.
    const negative = x1 >> 63;
    const c2 = load<u64>(c, 16) ^ flipC;
    const p2 = (load<u64>(b, 16) ^ flipB) + c2;
    const t2 = p2 + carry1;
    const w2 = t2 - negative;
    const carry2 = u64(p2 < c2) + u64(t2 < carry1) - u64(t2 < negative);
    const w3 = ((load<u64>(b, 24) ^ flipB) & LOW60) + ((load<u64>(c, 24) ^ flipC) & LOW60) + carry2;
    const correction = CORRECTIONS + 32 + <usize>(((<i64>w3) >> 60) << 5);
    const k0 = load<u64>(correction);
    const k1 = load<u64>(correction, 8);
    const k2 = load<u64>(correction, 16);
    const r0 = w0 + k0;
    const e0 = u64(r0 < k0);
    const s1 = w1 + k1;
    const r1 = s1 + e0;
    const e1 = u64(s1 < k1) | u64(r1 < e0);
    const s2 = w2 + k2;
    const r2 = s2 + e1;
    const e2 = u64(s2 < k2) | u64(r2 < e1);
    const r3 = (w3 & LOW60) + k2 + e2;
    if (r3 >= TOP) {
      storeCorrected(out, r0, r1, r2, r3);
      continue;
    }
    store<u64>(out, r0);
    store<u64>(out, r1, 8);
    store<u64>(out, r2, 16);
    store<u64>(out, r3, 24);
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
