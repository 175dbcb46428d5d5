import { digit, offsetScalars } from './digits';
import {
  POINT,
  addNiels,
  addPoints,
  copyPoint,
  double,
  loadAffine,
  normalize,
  setIdentity,
  setNiels,
  signed,
  storeAffine,
} from './edwards';
import { BUCKETS, FILLED, GENERATORS, H_TABLE, MAX_WINDOW, SCALARS } from './layout';
import { tabulate } from './multiples';
import { decode, derive, encode } from './ristretto';

/**
 * Sums of multiples of fixed points by buckets (Pippenger 1976; Bernstein, Doumen, Lange, Oosterwijk, "Faster batch
 * forgery identification", section 4). Bucket addresses, and with them the cache lines touched, depend on the scalars:
 * not constant time.
 */

const TOTAL: usize = memory.data(160, 16);
const HORNER: usize = memory.data(160, 16);
const RUNNING: usize = memory.data(160, 16);
const WINDOW_SUM: usize = memory.data(160, 16);
const POINT_IN: usize = memory.data(160, 16);
const BITS: usize = memory.data(256 * 4, 16);

/** The number of bits of x, or of -1 - x when x is negative: -2^b <= x < 2^b. x is signed, 256 bits. */
function bitLength(x: usize): u32 {
  const sign = load<i64>(x, 24) >> 63;
  for (let i: usize = 32; i > 0; i -= 8) {
    const word = load<i64>(x + i - 8) ^ sign;
    if (word != 0) return <u32>((i << 3) - <usize>clz(word));
  }
  return 0;
}

/** The window with the least work, in products of pairs, for the bit lengths counted in BITS. */
function bestWindow(n: u32, longest: u32): u32 {
  let best: u32 = 2;
  let least: u32 = u32.MAX_VALUE;
  for (let c: u32 = 2; c <= <u32>MAX_WINDOW; c++) {
    const half: u32 = 1 << (c - 1);
    const windows = (longest + c) / c;
    let cost = windows * (5 * half + 3 * min(half, n));
    for (let b: u32 = 0; b <= longest; b++) {
      cost += 4 * load<u32>(BITS + (b << 2)) * ((b + c) / c);
    }
    if (cost < least) {
      least = cost;
      best = c;
    }
  }
  return best;
}

/** Throws the generators of one window into their buckets; the highest bucket used, 0 if all digits are 0. */
function fillBuckets(generators: usize, n: usize, at: u32, c: u32, last: bool): u32 {
  memory.fill(FILLED, 0, (1 << (c - 1)) + 1);
  let highest: u32 = 0;
  let x = SCALARS;
  for (let i: usize = 0; i < n; i++, x += 32, generators += POINT) {
    const d = digit(x, at, c, last);
    if (d == 0) continue;
    const j: u32 = abs(d);
    const bucket = BUCKETS + <usize>j * POINT;
    if (load<u8>(FILLED + j)) {
      addNiels(bucket, generators, d < 0);
    } else {
      store<u8>(FILLED + j, 1);
      setNiels(bucket, generators, d < 0);
      highest = max(highest, j);
    }
  }
  return highest;
}

/** WINDOW_SUM = sum of j bucket_j for 1 <= j <= highest, by running sums from the top. */
function sumBuckets(highest: u32): void {
  copyPoint(RUNNING, BUCKETS + <usize>highest * POINT);
  copyPoint(WINDOW_SUM, RUNNING);
  for (let j = highest - 1; j > 0; j--) {
    if (load<u8>(FILLED + j)) addPoints(RUNNING, RUNNING, BUCKETS + <usize>j * POINT);
    addPoints(WINDOW_SUM, WINDOW_SUM, RUNNING);
  }
}

export function beginSum(): void {
  setIdentity(TOTAL);
}

/**
 * Total += sum of x_i G_(first + i), for the n signed 256-bit numbers |x_i| <= 2^252 in SCALARS, which are overwritten.
 * Cost: for b bits and window c, about (b / c) (4 n + 5 2^c) products of pairs.
 */
export function sumSegment(first: usize, n: usize): void {
  memory.fill(BITS, 0, 1024);
  let longest: u32 = 0;
  let nonzero = false;
  for (let i: usize = 0; i < n; i++) {
    const b = bitLength(SCALARS + (i << 5));
    store<u32>(BITS + (b << 2), load<u32>(BITS + (b << 2)) + 1);
    longest = max(longest, b);
  }
  const c = bestWindow(<u32>n, longest);
  const windows = (longest + c) / c;
  offsetScalars(SCALARS, n, c, windows);
  for (let w: i32 = windows - 1; w >= 0; w--) {
    if (nonzero) for (let i: u32 = 0; i < c; i++) double(HORNER, HORNER);
    const highest = fillBuckets(GENERATORS + first * POINT, n, c * w, c, w == windows - 1);
    if (highest == 0) continue;
    sumBuckets(highest);
    if (nonzero) addPoints(HORNER, HORNER, WINDOW_SUM);
    else copyPoint(HORNER, WINDOW_SUM);
    nonzero = true;
  }
  if (nonzero) addPoints(TOTAL, TOTAL, HORNER);
}

/** Derives n <= 256 generators, from `first` on, from 64 uniform bytes each at `uniform`. */
export function deriveGenerators(uniform: usize, first: usize, n: usize): void {
  const points = GENERATORS + first * POINT;
  for (let i: usize = 0; i < n; i++) derive(points + i * POINT, uniform + (i << 6));
  normalize(points, n);
}

/** Sets n generators, from `first` on, from their coordinates, 64 bytes each. */
export function loadGenerators(coordinates: usize, first: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) loadAffine(GENERATORS + (first + i) * POINT, coordinates + (i << 6));
}

/** Writes the coordinates of n generators, from `first` on. */
export function storeGenerators(coordinates: usize, first: usize, n: usize): void {
  for (let i: usize = 0; i < n; i++) storeAffine(coordinates + (i << 6), GENERATORS + (first + i) * POINT);
}

/** Fills the table of multiples of H from 64 uniform bytes. */
export function deriveBlinding(uniform: usize): void {
  derive(HORNER, uniform);
  tabulate(H_TABLE, HORNER);
}

/** Total += r H for the canonical scalar at SCALARS, which is overwritten: 64 table look-ups, not constant time. */
export function addBlinding(): void {
  offsetScalars(SCALARS, 1, 4, 64);
  for (let w: u32 = 0; w < 64; w++) {
    const d = digit(SCALARS, 4 * w, 4, w == 63);
    if (d != 0) addNiels(TOTAL, H_TABLE + <usize>(8 * w + abs(d) - 1) * POINT, d < 0);
  }
}

/** Total += or -= the encoded element at `bytes`; false, and no change, if it is not a valid encoding. */
export function addEncoded(bytes: usize, negative: bool): bool {
  if (!decode(POINT_IN, bytes)) return false;
  signed(POINT_IN, POINT_IN, negative);
  addPoints(TOTAL, TOTAL, POINT_IN);
  return true;
}

/** Writes the encoding of the total. */
export function encodeTotal(bytes: usize): void {
  encode(bytes, TOTAL);
}

/** Overwrites what the last sum left of the scalars: the inputs, the buckets and the sums. */
export function eraseSum(n: usize): void {
  memory.fill(SCALARS, 0, n << 5);
  memory.fill(BUCKETS, 0, 4097 * POINT);
  setIdentity(RUNNING);
  setIdentity(WINDOW_SUM);
  setIdentity(HORNER);
  setIdentity(TOTAL);
}
