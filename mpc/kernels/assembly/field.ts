/**
 * Arithmetic mod p = 2^255 - 19 on *pairs*: two field elements side by side in the two 64-bit lanes of a SIMD vector.
 *
 * A field element is ten signed limbs of alternately 26 and 25 bits, x = sum_k x_k 2^ceil(25.5 k) (the radix of
 * Bernstein's ref10). A pair is 80 bytes, five vectors; vector j is [lane 0 limb 2j, lane 1 limb 2j, lane 0 limb 2j+1,
 * lane 1 limb 2j+1], so that additions take four limbs at once and the widening 32 x 32 -> 64 bit multiplication
 * (extmul) finds the even limbs in its low half and the odd limbs in its high half. One multiplication of a pair costs
 * about as much as one multiplication of a single element with i64.mul, and it is exact on every machine (no
 * floating point, no relaxed SIMD).
 *
 * Bounds. One *unit* is |even limb| <= 2^25, |odd limb| <= 2^24 (+ 2^18): what mul and square return. A sum or
 * difference of two units is two units. `mul` takes 4 x 3 units: 19 * 3 units fit in 32 bits, and a column sum is at
 * most 7.5 * 19 * 2^27 * 3 * 2^25 < 2^61 in absolute value, less than the bias that makes it positive.
 */

/**
 * 2^36 p, limb by limb, plus one unit per limb. Added to the ten column sums it makes them positive, so that carries
 * are plain logical shifts (SIMD has no fast 64-bit arithmetic shift); the multiple of p does not change the value and the
 * unit is taken off again by `put`, which centres the limbs about zero.
 */
const BIAS: usize = memory.data<i64>([
  (0x3ffffed << 36) + (1 << 25),
  (0x1ffffff << 36) + (1 << 24),
  (0x3ffffff << 36) + (1 << 25),
  (0x1ffffff << 36) + (1 << 24),
  (0x3ffffff << 36) + (1 << 25),
  (0x1ffffff << 36) + (1 << 24),
  (0x3ffffff << 36) + (1 << 25),
  (0x1ffffff << 36) + (1 << 24),
  (0x3ffffff << 36) + (1 << 25),
  (0x1ffffff << 36) + (1 << 24),
]);

/** Bytes of a pair. */
export const PAIR: usize = 80;

/**
 * Stores the ten column sums, plus `BIAS`, as one unit. Two chains of carries run side by side, c0 to c5 and c5 to c9 and
 * round to c0, and each ends with one step more: half the latency of one chain.
 */
function carry(
  r: usize,
  c0: v128,
  c1: v128,
  c2: v128,
  c3: v128,
  c4: v128,
  c5: v128,
  c6: v128,
  c7: v128,
  c8: v128,
  c9: v128,
): void {
  const m25 = i64x2.splat(0x1ffffff);
  const m26 = i64x2.splat(0x3ffffff);
  c1 = i64x2.add(c1, i64x2.shr_u(c0, 26));
  c6 = i64x2.add(c6, i64x2.shr_u(c5, 25));
  c0 = v128.and(c0, m26);
  c5 = v128.and(c5, m25);
  c2 = i64x2.add(c2, i64x2.shr_u(c1, 25));
  c7 = i64x2.add(c7, i64x2.shr_u(c6, 26));
  c3 = i64x2.add(c3, i64x2.shr_u(c2, 26));
  c8 = i64x2.add(c8, i64x2.shr_u(c7, 25));
  c4 = i64x2.add(c4, i64x2.shr_u(c3, 25));
  c9 = i64x2.add(c9, i64x2.shr_u(c8, 26));
  c5 = i64x2.add(c5, i64x2.shr_u(c4, 26));
  const top = i64x2.shr_u(c9, 25);
  c0 = i64x2.add(c0, i64x2.add(i64x2.add(i64x2.shl(top, 4), i64x2.shl(top, 1)), top)); // 19 top
  c6 = i64x2.add(v128.and(c6, m26), i64x2.shr_u(c5, 25));
  c1 = i64x2.add(v128.and(c1, m25), i64x2.shr_u(c0, 26));
  put(r, 0, v128.and(c0, m26), c1);
  put(r, 16, v128.and(c2, m26), v128.and(c3, m25));
  put(r, 32, v128.and(c4, m26), v128.and(c5, m25));
  put(r, 48, c6, v128.and(c7, m25));
  put(r, 64, v128.and(c8, m26), v128.and(c9, m25));
}

function put(r: usize, at: usize, even: v128, odd: v128): void {
  const limbs = i32x4.shuffle(even, odd, 0, 2, 4, 6);
  v128.store(r + at, i32x4.sub(limbs, i32x4(1 << 25, 1 << 25, 1 << 24, 1 << 24)));
}

/**
 * r = a * b in both lanes; |a| <= 4 units, |b| <= 3 units (see the head of this file), r <= 1 unit. r may alias a, b.
 * Row by row, so that the ten column sums and one row of `a` can stay in registers.
 */
export function mul(r: usize, a: usize, b: usize): void {
  const k19 = i32x4.splat(19);
  const b0 = v128.load(b, 0);
  const s0 = i64x2.shuffle(b0, b0, 1, 0);
  const n0 = i32x4.mul(b0, k19);
  const t0 = i64x2.shuffle(n0, n0, 1, 0);
  const b1 = v128.load(b, 16);
  const s1 = i64x2.shuffle(b1, b1, 1, 0);
  const n1 = i32x4.mul(b1, k19);
  const t1 = i64x2.shuffle(n1, n1, 1, 0);
  const b2 = v128.load(b, 32);
  const s2 = i64x2.shuffle(b2, b2, 1, 0);
  const n2 = i32x4.mul(b2, k19);
  const t2 = i64x2.shuffle(n2, n2, 1, 0);
  const b3 = v128.load(b, 48);
  const s3 = i64x2.shuffle(b3, b3, 1, 0);
  const n3 = i32x4.mul(b3, k19);
  const t3 = i64x2.shuffle(n3, n3, 1, 0);
  const b4 = v128.load(b, 64);
  const s4 = i64x2.shuffle(b4, b4, 1, 0);
  const n4 = i32x4.mul(b4, k19);
  const t4 = i64x2.shuffle(n4, n4, 1, 0);
  const odd = i64x2(0, -1);
  let x: v128;
  let y: v128;
  x = v128.load(a, 0);
  y = i32x4.add(x, v128.and(x, odd));
  let c0 = i64x2.add(v128.load64_splat(BIAS), i64x2.extmul_low_i32x4_s(x, b0));
  let c1 = i64x2.add(v128.load64_splat(BIAS, 8), i64x2.extmul_low_i32x4_s(x, s0));
  c1 = i64x2.add(c1, i64x2.extmul_high_i32x4_s(x, s0));
  let c2 = i64x2.add(v128.load64_splat(BIAS, 16), i64x2.extmul_high_i32x4_s(y, b0));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(x, b1));
  let c3 = i64x2.add(v128.load64_splat(BIAS, 24), i64x2.extmul_low_i32x4_s(x, s1));
  c3 = i64x2.add(c3, i64x2.extmul_high_i32x4_s(x, s1));
  let c4 = i64x2.add(v128.load64_splat(BIAS, 32), i64x2.extmul_high_i32x4_s(y, b1));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(x, b2));
  let c5 = i64x2.add(v128.load64_splat(BIAS, 40), i64x2.extmul_low_i32x4_s(x, s2));
  c5 = i64x2.add(c5, i64x2.extmul_high_i32x4_s(x, s2));
  let c6 = i64x2.add(v128.load64_splat(BIAS, 48), i64x2.extmul_high_i32x4_s(y, b2));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(x, b3));
  let c7 = i64x2.add(v128.load64_splat(BIAS, 56), i64x2.extmul_low_i32x4_s(x, s3));
  c7 = i64x2.add(c7, i64x2.extmul_high_i32x4_s(x, s3));
  let c8 = i64x2.add(v128.load64_splat(BIAS, 64), i64x2.extmul_high_i32x4_s(y, b3));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(x, b4));
  let c9 = i64x2.add(v128.load64_splat(BIAS, 72), i64x2.extmul_low_i32x4_s(x, s4));
  c9 = i64x2.add(c9, i64x2.extmul_high_i32x4_s(x, s4));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(y, n4));
  x = v128.load(a, 16);
  y = i32x4.add(x, v128.and(x, odd));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(x, b0));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(x, s0));
  c3 = i64x2.add(c3, i64x2.extmul_high_i32x4_s(x, s0));
  c4 = i64x2.add(c4, i64x2.extmul_high_i32x4_s(y, b0));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(x, b1));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(x, s1));
  c5 = i64x2.add(c5, i64x2.extmul_high_i32x4_s(x, s1));
  c6 = i64x2.add(c6, i64x2.extmul_high_i32x4_s(y, b1));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(x, b2));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(x, s2));
  c7 = i64x2.add(c7, i64x2.extmul_high_i32x4_s(x, s2));
  c8 = i64x2.add(c8, i64x2.extmul_high_i32x4_s(y, b2));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(x, b3));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(x, s3));
  c9 = i64x2.add(c9, i64x2.extmul_high_i32x4_s(x, s3));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(y, n3));
  c0 = i64x2.add(c0, i64x2.extmul_low_i32x4_s(x, n4));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(x, t4));
  c1 = i64x2.add(c1, i64x2.extmul_high_i32x4_s(x, t4));
  c2 = i64x2.add(c2, i64x2.extmul_high_i32x4_s(y, n4));
  x = v128.load(a, 32);
  y = i32x4.add(x, v128.and(x, odd));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(x, b0));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(x, s0));
  c5 = i64x2.add(c5, i64x2.extmul_high_i32x4_s(x, s0));
  c6 = i64x2.add(c6, i64x2.extmul_high_i32x4_s(y, b0));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(x, b1));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(x, s1));
  c7 = i64x2.add(c7, i64x2.extmul_high_i32x4_s(x, s1));
  c8 = i64x2.add(c8, i64x2.extmul_high_i32x4_s(y, b1));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(x, b2));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(x, s2));
  c9 = i64x2.add(c9, i64x2.extmul_high_i32x4_s(x, s2));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(y, n2));
  c0 = i64x2.add(c0, i64x2.extmul_low_i32x4_s(x, n3));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(x, t3));
  c1 = i64x2.add(c1, i64x2.extmul_high_i32x4_s(x, t3));
  c2 = i64x2.add(c2, i64x2.extmul_high_i32x4_s(y, n3));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(x, n4));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(x, t4));
  c3 = i64x2.add(c3, i64x2.extmul_high_i32x4_s(x, t4));
  c4 = i64x2.add(c4, i64x2.extmul_high_i32x4_s(y, n4));
  x = v128.load(a, 48);
  y = i32x4.add(x, v128.and(x, odd));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(x, b0));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(x, s0));
  c7 = i64x2.add(c7, i64x2.extmul_high_i32x4_s(x, s0));
  c8 = i64x2.add(c8, i64x2.extmul_high_i32x4_s(y, b0));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(x, b1));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(x, s1));
  c9 = i64x2.add(c9, i64x2.extmul_high_i32x4_s(x, s1));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(y, n1));
  c0 = i64x2.add(c0, i64x2.extmul_low_i32x4_s(x, n2));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(x, t2));
  c1 = i64x2.add(c1, i64x2.extmul_high_i32x4_s(x, t2));
  c2 = i64x2.add(c2, i64x2.extmul_high_i32x4_s(y, n2));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(x, n3));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(x, t3));
  c3 = i64x2.add(c3, i64x2.extmul_high_i32x4_s(x, t3));
  c4 = i64x2.add(c4, i64x2.extmul_high_i32x4_s(y, n3));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(x, n4));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(x, t4));
  c5 = i64x2.add(c5, i64x2.extmul_high_i32x4_s(x, t4));
  c6 = i64x2.add(c6, i64x2.extmul_high_i32x4_s(y, n4));
  x = v128.load(a, 64);
  y = i32x4.add(x, v128.and(x, odd));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(x, b0));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(x, s0));
  c9 = i64x2.add(c9, i64x2.extmul_high_i32x4_s(x, s0));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(y, n0));
  c0 = i64x2.add(c0, i64x2.extmul_low_i32x4_s(x, n1));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(x, t1));
  c1 = i64x2.add(c1, i64x2.extmul_high_i32x4_s(x, t1));
  c2 = i64x2.add(c2, i64x2.extmul_high_i32x4_s(y, n1));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(x, n2));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(x, t2));
  c3 = i64x2.add(c3, i64x2.extmul_high_i32x4_s(x, t2));
  c4 = i64x2.add(c4, i64x2.extmul_high_i32x4_s(y, n2));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(x, n3));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(x, t3));
  c5 = i64x2.add(c5, i64x2.extmul_high_i32x4_s(x, t3));
  c6 = i64x2.add(c6, i64x2.extmul_high_i32x4_s(y, n3));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(x, n4));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(x, t4));
  c7 = i64x2.add(c7, i64x2.extmul_high_i32x4_s(x, t4));
  c8 = i64x2.add(c8, i64x2.extmul_high_i32x4_s(y, n4));
  carry(r, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9);
}

/** r = a^2 in both lanes, |a| <= 3 units: 55 products instead of 100. r may alias a. */
export function square(r: usize, a: usize): void {
  const k19 = i32x4.splat(19);
  const a0 = v128.load(a, 0);
  const d0 = i32x4.add(a0, a0);
  const n0 = i32x4.mul(a0, k19);
  const s0 = i64x2.shuffle(a0, a0, 1, 0);
  const t0 = i64x2.shuffle(n0, n0, 1, 0);
  const a1 = v128.load(a, 16);
  const d1 = i32x4.add(a1, a1);
  const n1 = i32x4.mul(a1, k19);
  const s1 = i64x2.shuffle(a1, a1, 1, 0);
  const t1 = i64x2.shuffle(n1, n1, 1, 0);
  const a2 = v128.load(a, 32);
  const d2 = i32x4.add(a2, a2);
  const n2 = i32x4.mul(a2, k19);
  const s2 = i64x2.shuffle(a2, a2, 1, 0);
  const t2 = i64x2.shuffle(n2, n2, 1, 0);
  const a3 = v128.load(a, 48);
  const d3 = i32x4.add(a3, a3);
  const n3 = i32x4.mul(a3, k19);
  const s3 = i64x2.shuffle(a3, a3, 1, 0);
  const t3 = i64x2.shuffle(n3, n3, 1, 0);
  const a4 = v128.load(a, 64);
  const d4 = i32x4.add(a4, a4);
  const n4 = i32x4.mul(a4, k19);
  const s4 = i64x2.shuffle(a4, a4, 1, 0);
  const t4 = i64x2.shuffle(n4, n4, 1, 0);
  const f0 = i32x4.add(d0, d0);
  const f1 = i32x4.add(d1, d1);
  const f2 = i32x4.add(d2, d2);
  const f3 = i32x4.add(d3, d3);
  let c1 = i64x2.add(v128.load64_splat(BIAS, 8), i64x2.extmul_low_i32x4_s(d0, s0));
  let c0 = i64x2.add(v128.load64_splat(BIAS), i64x2.extmul_low_i32x4_s(a0, a0));
  let c2 = i64x2.add(v128.load64_splat(BIAS, 16), i64x2.extmul_high_i32x4_s(d0, a0));
  let c3 = i64x2.add(v128.load64_splat(BIAS, 24), i64x2.extmul_low_i32x4_s(d0, s1));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(d0, a1));
  let c4 = i64x2.add(v128.load64_splat(BIAS, 32), i64x2.extmul_high_i32x4_s(f0, a1));
  let c5 = i64x2.add(v128.load64_splat(BIAS, 40), i64x2.extmul_low_i32x4_s(d0, s2));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(d0, a2));
  let c6 = i64x2.add(v128.load64_splat(BIAS, 48), i64x2.extmul_high_i32x4_s(f0, a2));
  let c7 = i64x2.add(v128.load64_splat(BIAS, 56), i64x2.extmul_low_i32x4_s(d0, s3));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(d0, a3));
  let c8 = i64x2.add(v128.load64_splat(BIAS, 64), i64x2.extmul_high_i32x4_s(f0, a3));
  let c9 = i64x2.add(v128.load64_splat(BIAS, 72), i64x2.extmul_low_i32x4_s(d0, s4));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(d0, a4));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(f0, n4));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(d1, s0));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(d1, s1));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(a1, a1));
  c6 = i64x2.add(c6, i64x2.extmul_high_i32x4_s(d1, a1));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(d1, s2));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(d1, a2));
  c8 = i64x2.add(c8, i64x2.extmul_high_i32x4_s(f1, a2));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(d1, s3));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(d1, a3));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(f1, n3));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(d1, t4));
  c0 = i64x2.add(c0, i64x2.extmul_low_i32x4_s(d1, n4));
  c2 = i64x2.add(c2, i64x2.extmul_high_i32x4_s(f1, n4));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(d2, s0));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(d2, s1));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(d2, s2));
  c8 = i64x2.add(c8, i64x2.extmul_low_i32x4_s(a2, a2));
  c0 = i64x2.add(c0, i64x2.extmul_high_i32x4_s(d2, n2));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(d2, t3));
  c0 = i64x2.add(c0, i64x2.extmul_low_i32x4_s(d2, n3));
  c2 = i64x2.add(c2, i64x2.extmul_high_i32x4_s(f2, n3));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(d2, t4));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(d2, n4));
  c4 = i64x2.add(c4, i64x2.extmul_high_i32x4_s(f2, n4));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(d3, s0));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(d3, s1));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(d3, t2));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(d3, t3));
  c2 = i64x2.add(c2, i64x2.extmul_low_i32x4_s(a3, n3));
  c4 = i64x2.add(c4, i64x2.extmul_high_i32x4_s(d3, n3));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(d3, t4));
  c4 = i64x2.add(c4, i64x2.extmul_low_i32x4_s(d3, n4));
  c6 = i64x2.add(c6, i64x2.extmul_high_i32x4_s(f3, n4));
  c9 = i64x2.add(c9, i64x2.extmul_low_i32x4_s(d4, s0));
  c1 = i64x2.add(c1, i64x2.extmul_low_i32x4_s(d4, t1));
  c3 = i64x2.add(c3, i64x2.extmul_low_i32x4_s(d4, t2));
  c5 = i64x2.add(c5, i64x2.extmul_low_i32x4_s(d4, t3));
  c7 = i64x2.add(c7, i64x2.extmul_low_i32x4_s(d4, t4));
  c6 = i64x2.add(c6, i64x2.extmul_low_i32x4_s(a4, n4));
  c8 = i64x2.add(c8, i64x2.extmul_high_i32x4_s(d4, n4));
  carry(r, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9);
}
