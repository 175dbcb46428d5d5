import { PAIR } from './field';
import { fromWords } from './pair';

/** The constants of RFC 9496, section 4.1, as little-endian words, and 1 and 1/2. */
const WORDS: usize = memory.data<u64>([
  0x75eb4dca135978a3,
  0x00700a4d4141d8ab,
  0x8cc740797779e898,
  0x52036cee2b6ffe73, // D
  0xc4ee1b274a0ea0b0,
  0x2f431806ad2fe478,
  0x2b4d00993dfbd7a7,
  0x2b8324804fc1df0b, // SQRT_M1
  0x7e97f6a0497b2e1b,
  0xaf9d8e0c1b7854bd,
  0x0f3cfcc931f5d1fd,
  0x376931bf2b8348ac, // SQRT_AD_MINUS_ONE
  0x99c8fdaa805d40ea,
  0x9d2f16175a4172be,
  0x16c27b91fe01d840,
  0x786c8905cfaffca2, // INVSQRT_A_MINUS_D
  0xe27c09c1945fc176,
  0x2c81a138cd5e350f,
  0x9994abddbe70dfe4,
  0x029072a8b2b3e0d7, // ONE_MINUS_D_SQ
  0x31ad5aaa44ed4d20,
  0xd29e4a2cb01e1999,
  0x4cdcd32f529b4eeb,
  0x5968b37af66c2241, // D_MINUS_ONE_SQ
  0xfffffffffffffff7,
  0xffffffffffffffff,
  0xffffffffffffffff,
  0x3fffffffffffffff, // HALF
  0x0000000000000001,
  0x0000000000000000,
  0x0000000000000000,
  0x0000000000000000, // ONE
  0xebd69b9426b2f159,
  0x00e0149a8283b156,
  0x198e80f2eef3d130,
  0x2406d9dc56dffce7, // 2 D
  0x0000000000000002,
  0x0000000000000000,
  0x0000000000000000,
  0x0000000000000000, // 2
]);

const PAIRS: usize = memory.data(13 * 80, 16);

/** Unpacks word group `from` into both lanes of the pair `slot`. */
function both(slot: usize, from: usize): usize {
  return lanes(slot, from, from);
}

function lanes(slot: usize, from0: usize, from1: usize): usize {
  const pair = PAIRS + slot * PAIR;
  fromWords(pair, 0, WORDS + (from0 << 5));
  fromWords(pair, 1, WORDS + (from1 << 5));
  return pair;
}

// Each constant is in both lanes, but for the last two.
export const D: usize = both(0, 0);
export const SQRT_M1: usize = both(1, 1);
export const SQRT_AD_MINUS_ONE: usize = both(2, 2);
export const INVSQRT_A_MINUS_D: usize = both(3, 3);
export const ONE_MINUS_D_SQ: usize = both(4, 4);
export const D_MINUS_ONE_SQ: usize = both(5, 5);
export const HALF: usize = both(6, 6);
export const ONE: usize = both(7, 7);
export const ZERO: usize = PAIRS + 8 * PAIR;
/** (2 D, 2), the factors of T1 T2 and Z1 Z2 in a full addition. */
export const TWO_D_TWO: usize = lanes(9, 8, 9);
