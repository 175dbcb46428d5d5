/**
 * Bit matrices by rows of 128 bits, elements of GF(2)^128: tags, keys and hashes. Packed bits are least significant
 * first. Nothing here branches on, or addresses memory by, secret bits.
 */

function bitMask(bits: usize, t: usize): v128 {
  return i32x4.splat(-(((<i32>load<u8>(bits + (t >> 3))) >> (<i32>(t & 7))) & 1));
}

/** to_t += bit_t * element. */
export function addElement(to: usize, bits: usize, element: usize, n: usize): void {
  const value = v128.load(element);
  for (let t: usize = 0; t < n; t++) {
    const at = to + (t << 4);
    v128.store(at, v128.xor(v128.load(at), v128.and(bitMask(bits, t), value)));
  }
}

/** to_t += bit_t * from_t. */
export function addSelected(to: usize, bits: usize, from: usize, n: usize): void {
  for (let t: usize = 0; t < n; t++) {
    const at = to + (t << 4);
    v128.store(at, v128.xor(v128.load(at), v128.and(bitMask(bits, t), v128.load(from + (t << 4)))));
  }
}

/** Before the hashes of keys k and tags m: shifted = k + delta, sum += k + m. */
export function shiftKeys(shifted: usize, sum: usize, keys: usize, tags: usize, delta: usize, n: usize): void {
  const value = v128.load(delta);
  for (let i: usize = 0, end = n << 4; i < end; i += 16) {
    const k = v128.load(keys + i);
    v128.store(shifted + i, v128.xor(k, value));
    v128.store(sum + i, v128.xor(v128.load(sum + i), v128.xor(k, v128.load(tags + i))));
  }
}

/** to_t = from_t + (first + t, direction, 0, 0), four 32-bit words: the middle step of a tweaked hash. */
export function addTweaks(to: usize, from: usize, first: u32, direction: u32, n: usize): void {
  let tweak = i32x4.replace_lane(i32x4.splat(0), 0, first);
  tweak = i32x4.replace_lane(tweak, 1, direction);
  const one = i32x4.replace_lane(i32x4.splat(0), 0, 1);
  for (let i: usize = 0, end = n << 4; i < end; i += 16) {
    v128.store(to + i, v128.xor(v128.load(from + i), tweak));
    tweak = i32x4.add(tweak, one);
  }
}

/**
 * After the hashes: `inner` and `outer` hold the two cipher calls on n keys, n shifted keys and n tags, one after the other.
 * message = H(k) + H(k + delta) + phi, sum += H(k) + H(m).
 */
export function mixHashes(message: usize, sum: usize, phi: usize, inner: usize, outer: usize, n: usize): void {
  const part = n << 4;
  for (let i: usize = 0; i < part; i += 16) {
    const key = v128.xor(v128.load(inner + i), v128.load(outer + i));
    const shifted = v128.xor(v128.load(inner + part + i), v128.load(outer + part + i));
    const tag = v128.xor(v128.load(inner + 2 * part + i), v128.load(outer + 2 * part + i));
    v128.store(message + i, v128.xor(v128.xor(key, shifted), v128.load(phi + i)));
    v128.store(sum + i, v128.xor(v128.load(sum + i), v128.xor(key, tag)));
  }
}

/** The packed lowest bits of the rows; n is a multiple of 8. */
export function lowBits(bits: usize, rows: usize, n: usize): void {
  for (let t: usize = 0; t < n; t += 8) {
    let byte: u32 = 0;
    for (let i: usize = 0; i < 8; i++) byte |= (load<u32>(rows + ((t + i) << 4)) & 1) << (<u32>i);
    store<u8>(bits + (t >> 3), <u8>byte);
  }
}
