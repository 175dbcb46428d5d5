import { fromHex } from '../../protocol/bytes.ts';
import { KernelError } from './errors.ts';
import { kernels, layout, memory } from './load.ts';

/** Bytes of a point in the kernels' own form: two pairs of ten 32-bit limbs, twice. */
const POINT = 160;
const UNIFORM = 64;
/** Bytes of an element's one encoding, and of a scalar. */
export const ELEMENT_BYTES = 32;
/** Elements that the kernels take at once. */
const BATCH = 256;
/** Where the kernels work on elements: two operands of a batch, and the multiples of a point. */
const WORK = POINT * (BATCH + BATCH + 512);

/** A kernel's step on `n` elements, at `first` of the whole vector. */
type Step = (first: number, n: number) => void;

/**
 * A vector of ristretto255 elements (RFC 9496). Multiples take the same steps and read the same memory whatever scalars and
 * elements; decoding and what node:crypto or the collector keep are outside of that.
 *
 * Scalars are 32 bytes each, little-endian, below 2^253, and need not be reduced.
 *
 * Cost: about 10 us an element to derive, decode or encode, 15 us for a multiple of one element by many scalars, 60 us for one
 * of its own.
 */
export class Elements {
  readonly length: number;
  readonly #points: Uint8Array;

  private constructor(length: number, fill: Step) {
    this.length = length;
    this.#points = new Uint8Array(POINT * length);
    for (let first = 0; first < length; first += BATCH) {
      const n = Math.min(BATCH, length - first);
      fill(first, n);
      this.#points.set(memory().subarray(layout.points, layout.points + POINT * n), POINT * first);
    }
    eraseWork();
  }

  /** Element derivation, section 4.3.4, from 64 uniform bytes each. */
  static derive(uniform: Uint8Array): Elements {
    return new Elements(countOf(uniform, UNIFORM), (first, n) => {
      place(uniform, UNIFORM, first, n);
      kernels.deriveEach(layout.points, layout.operand, n);
    });
  }

  /** @throws KernelError BAD_POINT if one of the encodings is not valid. */
  static decode(bytes: Uint8Array): Elements {
    return new Elements(countOf(bytes, ELEMENT_BYTES), (first, n) => {
      place(bytes, ELEMENT_BYTES, first, n);
      if (!kernels.decodeEach(layout.points, layout.operand, n)) {
        throw new KernelError('BAD_POINT', 'not the encoding of a ristretto255 element');
      }
    });
  }

  /** One element times each scalar. */
  static multiplesOf(element: Elements, scalars: Uint8Array): Elements {
    return new Elements(countOf(scalars, ELEMENT_BYTES), (first, n) => {
      place(scalars, ELEMENT_BYTES, first, n);
      element.#load(layout.addends, 0, 1);
      kernels.multiplyFixed(layout.points, layout.addends, layout.operand, n);
    });
  }

  /** Each element times one scalar. */
  times(scalar: Uint8Array): Elements {
    countOf(scalar, ELEMENT_BYTES);
    return new Elements(this.length, (first, n) => {
      this.#load(layout.points, first, n);
      place(scalar, ELEMENT_BYTES, 0, 1);
      kernels.multiplyEach(layout.points, layout.operand, n);
    });
  }

  plus(other: Elements): Elements {
    return this.#with(other, kernels.addEach);
  }

  minus(other: Elements): Elements {
    return this.#with(other, kernels.subtractEach);
  }

  /** The encodings, one after the other: two elements are the same if and only if theirs are. */
  encode(): Uint8Array {
    const bytes = new Uint8Array(ELEMENT_BYTES * this.length);
    for (let first = 0; first < this.length; first += BATCH) {
      const n = Math.min(BATCH, this.length - first);
      this.#load(layout.points, first, n);
      kernels.encodeEach(layout.operand, layout.points, n);
      bytes.set(memory().subarray(layout.operand, layout.operand + ELEMENT_BYTES * n), ELEMENT_BYTES * first);
    }
    eraseWork();
    return bytes;
  }

  #with(other: Elements, combine: (points: number, addends: number, n: number) => void): Elements {
    if (other.length !== this.length) throw new KernelError('BAD_LENGTH', 'two vectors of one length');
    return new Elements(this.length, (first, n) => {
      this.#load(layout.points, first, n);
      other.#load(layout.addends, first, n);
      combine(layout.points, layout.addends, n);
    });
  }

  #load(address: number, first: number, n: number): void {
    memory().set(this.#points.subarray(POINT * first, POINT * (first + n)), address);
  }
}

/** The generator of the group, RFC 9496 section 4. */
export const BASE = Elements.decode(fromHex('e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76', 32));

function place(bytes: Uint8Array, each: number, first: number, n: number): void {
  memory().set(bytes.subarray(each * first, each * (first + n)), layout.operand);
}

function countOf(bytes: Uint8Array, each: number): number {
  if (bytes.length % each !== 0) throw new KernelError('BAD_LENGTH', `bytes in parts of ${each}`);
  return bytes.length / each;
}

/** Scalars and elements are secret more often than not. */
function eraseWork(): void {
  memory().fill(0, layout.operand, layout.operand + UNIFORM * BATCH);
  memory().fill(0, layout.points, layout.points + WORK);
}
