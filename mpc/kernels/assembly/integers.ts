/**
 * Integers mod 2^128: 16 bytes, little-endian, all of them canonical. A signed cell is one of them as it stands (two's
 * complement).
 */

/** a_i := a_i + b_i mod 2^128 for n integers. */
export function addIntegers(a: usize, b: usize, n: usize): void {
  for (const end = a + (n << 4); a < end; a += 16, b += 16) {
    const low = load<u64>(b);
    const sum = load<u64>(a) + low;
    store<u64>(a, sum);
    store<u64>(a, load<u64>(a, 8) + load<u64>(b, 8) + u64(sum < low), 8);
  }
}

/** a_i := a_i - b_i mod 2^128 for n integers. */
export function subtractIntegers(a: usize, b: usize, n: usize): void {
  for (const end = a + (n << 4); a < end; a += 16, b += 16) {
    const low = load<u64>(b);
    const from = load<u64>(a);
    store<u64>(a, from - low);
    store<u64>(a, load<u64>(a, 8) - load<u64>(b, 8) - u64(from < low), 8);
  }
}
