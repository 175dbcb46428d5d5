/**
 * Bit matrices by columns: column b of a matrix at `stride` bytes from column b - 1, row t at bit t, least significant
 * bit first. Lengths in bytes are multiples of 16. Nothing here branches on, or addresses memory by, the bits.
 */

const WIDTH: usize = 16;

/** The holder of bits: u = r0 + r1 + r2 + r3, v0 = r1 + r3, v1 = r2 + r3, correction c = u + x. */
export function expandHolder(
  c: usize,
  v0: usize,
  v1: usize,
  x: usize,
  r0: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  bytes: usize,
): void {
  for (let i: usize = 0; i < bytes; i += WIDTH) {
    const a = v128.load(r1 + i);
    const b = v128.load(r2 + i);
    const d = v128.load(r3 + i);
    const low = v128.xor(a, d);
    v128.store(v0 + i, low);
    v128.store(v1 + i, v128.xor(b, d));
    v128.store(c + i, v128.xor(v128.xor(v128.load(x + i), v128.load(r0 + i)), v128.xor(low, b)));
  }
}

/** The holder of the key bits d0, d1: w0 = r1 + r3 + d0 c, w1 = r2 + r3 + d1 c, leaves numbered from the one it lacks. */
export function expandKeeper(
  w0: usize,
  w1: usize,
  c: usize,
  r1: usize,
  r2: usize,
  r3: usize,
  d0: i32,
  d1: i32,
  bytes: usize,
): void {
  const m0 = i32x4.splat(-d0);
  const m1 = i32x4.splat(-d1);
  for (let i: usize = 0; i < bytes; i += WIDTH) {
    const d = v128.load(r3 + i);
    const correction = v128.load(c + i);
    v128.store(w0 + i, v128.xor(v128.xor(v128.load(r1 + i), d), v128.and(m0, correction)));
    v128.store(w1 + i, v128.xor(v128.xor(v128.load(r2 + i), d), v128.and(m1, correction)));
  }
}

/** to += from. */
export function addInto(to: usize, from: usize, bytes: usize): void {
  for (let i: usize = 0; i < bytes; i += WIDTH) v128.store(to + i, v128.xor(v128.load(to + i), v128.load(from + i)));
}

/** to += bit * from. */
export function addTimes(to: usize, from: usize, bit: i32, bytes: usize): void {
  const mask = i32x4.splat(-bit);
  for (let i: usize = 0; i < bytes; i += WIDTH) {
    v128.store(to + i, v128.xor(v128.load(to + i), v128.and(mask, v128.load(from + i))));
  }
}

function low(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
}

function high(a: v128, b: v128): v128 {
  return v128.shuffle<u8>(a, b, 8, 24, 9, 25, 10, 26, 11, 27, 12, 28, 13, 29, 14, 30, 15, 31);
}

/** One byte (eight rows) of sixteen columns: the sixteen bits of row r are the r-th bits of the lanes. */
function spread(to: usize, lanes: v128): void {
  store<u16>(to + 112, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to + 96, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to + 80, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to + 64, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to + 48, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to + 32, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to + 16, <u16>i8x16.bitmask(lanes));
  lanes = i8x16.add(lanes, lanes);
  store<u16>(to, <u16>i8x16.bitmask(lanes));
}

/** Sixteen columns of 128 rows: their bytes are transposed in registers, then their bits. */
function transposeTile(rows: usize, columns: usize, stride: usize): void {
  // Stage s pairs lane vectors so that after four stages vector k holds byte k of every column, in order.
  let a = v128.load(columns);
  let b = v128.load(columns + 8 * stride);
  const s0 = low(a, b);
  const s1 = high(a, b);
  a = v128.load(columns + 1 * stride);
  b = v128.load(columns + 9 * stride);
  const s2 = low(a, b);
  const s3 = high(a, b);
  a = v128.load(columns + 2 * stride);
  b = v128.load(columns + 10 * stride);
  const s4 = low(a, b);
  const s5 = high(a, b);
  a = v128.load(columns + 3 * stride);
  b = v128.load(columns + 11 * stride);
  const s6 = low(a, b);
  const s7 = high(a, b);
  a = v128.load(columns + 4 * stride);
  b = v128.load(columns + 12 * stride);
  const s8 = low(a, b);
  const s9 = high(a, b);
  a = v128.load(columns + 5 * stride);
  b = v128.load(columns + 13 * stride);
  const s10 = low(a, b);
  const s11 = high(a, b);
  a = v128.load(columns + 6 * stride);
  b = v128.load(columns + 14 * stride);
  const s12 = low(a, b);
  const s13 = high(a, b);
  a = v128.load(columns + 7 * stride);
  b = v128.load(columns + 15 * stride);
  const s14 = low(a, b);
  const s15 = high(a, b);
  // s(2i) holds bytes 0..7 of columns i and i + 8, alternating; s(2i + 1) bytes 8..15.
  half(rows, s0, s2, s4, s6, s8, s10, s12, s14);
  half(rows + 1024, s1, s3, s5, s7, s9, s11, s13, s15);
}

/** Eight bytes of sixteen columns; vector i holds those of columns i and i + 8, alternating. */
function half(rows: usize, t0: v128, t1: v128, t2: v128, t3: v128, t4: v128, t5: v128, t6: v128, t7: v128): void {
  // Columns i, i + 4, i + 8, i + 12.
  const a0 = low(t0, t4);
  const a1 = high(t0, t4);
  const b0 = low(t1, t5);
  const b1 = high(t1, t5);
  const c0 = low(t2, t6);
  const c1 = high(t2, t6);
  const d0 = low(t3, t7);
  const d1 = high(t3, t7);
  quarter(rows, a0, b0, c0, d0);
  quarter(rows + 512, a1, b1, c1, d1);
}

/** Four bytes of sixteen columns; vector i holds those of columns i, i + 4, i + 8, i + 12. */
function quarter(rows: usize, a: v128, b: v128, c: v128, d: v128): void {
  const e0 = low(a, c);
  const e1 = high(a, c);
  const f0 = low(b, d);
  const f1 = high(b, d);
  spread(rows, low(e0, f0));
  spread(rows + 128, high(e0, f0));
  spread(rows + 256, low(e1, f1));
  spread(rows + 384, high(e1, f1));
}

/** The first `n` rows, a multiple of 128, of a matrix of 128 columns: 16 bytes a row, bit b from column b. */
export function transpose(rows: usize, columns: usize, stride: usize, n: usize): void {
  for (let row: usize = 0; row < n; row += 128) {
    for (let group: usize = 0; group < 8; group++) {
      transposeTile(rows + 16 * row + 2 * group, columns + 16 * group * stride + (row >> 3), stride);
    }
  }
}
