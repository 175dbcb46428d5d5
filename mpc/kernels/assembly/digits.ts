/**
 * Adds to each scalar the sum of 2^(c w + c - 1) over all windows but the last. Then window w, less 2^(c-1), is a signed
 * digit in [-2^(c-1), 2^(c-1)), no carry runs between digits, and what is left for the last window is the signed
 * quotient by 2^(c w), at most 2^(c-1) in absolute value because c windows >= bits + 1.
 */
export function offsetScalars(x: usize, n: usize, c: u32, windows: u32): void {
  let k0: u64 = 0;
  let k1: u64 = 0;
  let k2: u64 = 0;
  let k3: u64 = 0;
  for (let at = c - 1; at < c * (windows - 1); at += c) {
    const bit: u64 = 1 << (at & 63);
    if (at < 64) k0 |= bit;
    else if (at < 128) k1 |= bit;
    else if (at < 192) k2 |= bit;
    else k3 |= bit;
  }
  for (const end = x + (n << 5); x < end; x += 32) {
    const r0 = load<u64>(x) + k0;
    const c0 = u64(r0 < k0);
    const s1 = load<u64>(x, 8) + k1;
    const r1 = s1 + c0;
    const c1 = u64(s1 < k1) | u64(r1 < c0);
    const s2 = load<u64>(x, 16) + k2;
    const r2 = s2 + c1;
    const c2 = u64(s2 < k2) | u64(r2 < c1);
    store<u64>(x, r0);
    store<u64>(x, r1, 8);
    store<u64>(x, r2, 16);
    store<u64>(x, load<u64>(x, 24) + k3 + c2, 24);
  }
}

/** Digit of the window of c bits that begins at bit `at`. */
export function digit(x: usize, at: u32, c: u32, last: bool): i32 {
  const byte = min<u32>(at >> 3, 24);
  const bits = <i32>(load<i64>(x + byte) >> (at - (byte << 3)));
  return last ? bits : (bits & ((1 << c) - 1)) - (1 << (c - 1));
}
