/**
 * Leaky triples as records of 48 bytes: the tags of x, y and z. Bits are the lowest bits of their tags throughout
 * (docs/preprocessing.md, section 1). Addresses depend on the permutation alone, which is public.
 */
const RECORD: usize = 48;

/** Files n triples whose tags lie apart; the bits of y also go, a byte each, to `yBytes`. */
export function fileTriples(records: usize, yBytes: usize, xTags: usize, yTags: usize, zTags: usize, n: usize): void {
  for (let t: usize = 0; t < n; t++) {
    const to = records + t * RECORD;
    const y = v128.load(yTags + (t << 4));
    v128.store(to, v128.load(xTags + (t << 4)));
    v128.store(to + 16, y);
    v128.store(to + 32, v128.load(zTags + (t << 4)));
    store<u8>(yBytes + t, <u8>(i32x4.extract_lane(y, 0) & 1));
  }
}

/** For the check: the tags of z, and its bits as field elements of GHASH, where 1 is the highest bit of the first byte. */
export function readProducts(tags: usize, values: usize, records: usize, n: usize): void {
  for (let t: usize = 0; t < n; t++) {
    const z = v128.load(records + t * RECORD + 32);
    v128.store(tags + (t << 4), z);
    v128.store(values + (t << 4), i32x4.replace_lane(i32x4.splat(0), 0, (i32x4.extract_lane(z, 0) & 1) << 7));
  }
}

/** places_i = i. */
export function countUp(places: usize, n: u32): void {
  for (let i: u32 = 0; i < n; i++) store<u32>(places + ((<usize>i) << 2), i);
}

/**
 * Fisher-Yates, from the end: places `from`, `from` - 1, .. 1 of `places` each change with a uniform one at or below
 * it, chosen by multiplication and rejection (Lemire, 2019) from `count` random words. Returns the first place not yet
 * done, 0 when all are.
 */
export function shuffle(places: usize, from: u32, words: usize, count: u32): u32 {
  let at = from;
  for (let i: u32 = 0; i < count && at > 0; i++) {
    const bound = at + 1;
    const product = <u64>load<u32>(words + ((<usize>i) << 2)) * <u64>bound;
    const low = <u32>product;
    if (low < bound && low < (0 - bound) % bound) continue;
    const other = places + ((<usize>(product >> 32)) << 2);
    const own = places + ((<usize>at) << 2);
    const kept = load<u32>(own);
    store<u32>(own, load<u32>(other));
    store<u32>(other, kept);
    at--;
  }
  return at;
}

/** This party's shares of y' + y'' for all n buckets: the partner of bucket j is triple base + places_j. */
export function openPartners(bits: usize, yBytes: usize, places: usize, base: usize, n: usize): void {
  for (let j: usize = 0; j < n; j += 8) {
    let byte: u32 = 0;
    for (let i: usize = 0; i < 8; i++) {
      const partner = base + <usize>load<u32>(places + ((j + i) << 2));
      byte |= (<u32>(load<u8>(yBytes + j + i) ^ load<u8>(yBytes + partner))) << (<u32>i);
    }
    store<u8>(bits + (j >> 3), <u8>byte);
  }
}

/** Starts n results from the heads of their buckets, which are the records from `first` on. */
export function startBuckets(a: usize, b: usize, c: usize, records: usize, first: usize, n: usize): void {
  for (let t: usize = 0; t < n; t++) {
    const head = records + (first + t) * RECORD;
    v128.store(a + (t << 4), v128.load(head));
    v128.store(b + (t << 4), v128.load(head + 16));
    v128.store(c + (t << 4), v128.load(head + 32));
  }
}

/**
 * Folds one partner into each of n results: with d = y' + y'' open, x = x' + x'', y = y', z = z' + z'' + d x''.
 * Also writes the tags to be checked: those of y' + y'', less d * delta.
 */
export function foldPartners(
  a: usize,
  b: usize,
  c: usize,
  checked: usize,
  records: usize,
  places: usize,
  opened: usize,
  delta: usize,
  first: usize,
  base: usize,
  n: usize,
): void {
  const key = v128.load(delta);
  for (let t: usize = 0; t < n; t++) {
    const j = first + t;
    const partner = records + (base + <usize>load<u32>(places + (j << 2))) * RECORD;
    const d = i32x4.splat(-(((<i32>load<u8>(opened + (j >> 3))) >> (<i32>(j & 7))) & 1));
    const x = v128.load(partner);
    const at = t << 4;
    v128.store(a + at, v128.xor(v128.load(a + at), x));
    const y = v128.xor(v128.load(b + at), v128.load(partner + 16));
    v128.store(checked + at, v128.xor(y, v128.and(d, key)));
    v128.store(c + at, v128.xor(v128.load(c + at), v128.xor(v128.load(partner + 32), v128.and(d, x))));
  }
}
