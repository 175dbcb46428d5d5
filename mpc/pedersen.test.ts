import { createHash } from 'node:crypto';
import { ristretto255, ristretto255_hasher } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_LIMIT, CellVector } from './cells.ts';
import { memory } from './kernels/load.ts';
import { MAX_GENERATORS } from './kernels/generators.ts';
import { addCommitments, commitCells, commitScalars, subtractCommitments } from './pedersen.ts';
import { SCALAR_ORDER as L, ScalarVector, addScalars } from './scalars.ts';

type Point = InstanceType<typeof ristretto255.Point>;
const { Point } = ristretto255;

const H = derive(createHash('shake256', { outputLength: 64 }).update('healthchain/v1/pedersen/H').digest());
const IDENTITY = new Uint8Array(32);
const cell = fc.oneof(
  fc.constantFrom(0n, -1n, 1n, CELL_LIMIT - 1n, 1n - CELL_LIMIT, 2n ** 64n - 1n, -(2n ** 63n)),
  fc.bigInt(-1000n, 1000n),
  fc.bigInt(1n - CELL_LIMIT, CELL_LIMIT - 1n),
);
const EDGES = [0n, 1n, L - 1n, 2n ** 252n, 2n ** 252n - 1n, L >> 1n, (L >> 1n) + 1n, 2n ** 251n, 2n ** 251n - 1n];
const scalar = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt(0n, L - 1n));

const code = (expected: string): unknown => expect.objectContaining({ code: expected });
const mod = (x: bigint): bigint => ((x % L) + L) % L;
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

function derive(uniform: Uint8Array): Point {
  return ristretto255_hasher.deriveToCurve!(uniform);
}

/** G_j by the definition and noble. */
function generator(j: number): Point {
  const block = new Uint8Array(4);
  new DataView(block.buffer).setUint32(0, Math.floor(j / 4096), true);
  const at = 64 * (j % 4096);
  const stream = createHash('shake256', { outputLength: at + 64 })
    .update('healthchain/v1/pedersen/G')
    .update(block);
  return derive(stream.digest().subarray(at));
}

const cached = new Map<number, Point>();

function reference(values: readonly bigint[], r: bigint): string {
  const sum = values.reduce((total, x, j) => {
    const G = cached.get(j) ?? generator(j);
    cached.set(j, G);
    return mod(x) === 0n ? total : total.add(G.multiply(mod(x)));
  }, Point.ZERO);
  return (r === 0n ? sum : sum.add(H.multiply(r))).toHex();
}

function encode(value: bigint): Uint8Array {
  return Uint8Array.from(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse());
}

function unit(j: number): CellVector {
  const cells = CellVector.zeros(j + 1);
  cells.set(j, 1n);
  return cells;
}

function manyValues(n: number, bits: number, label: string): bigint[] {
  const bytes = createHash('shake256', { outputLength: 64 * n })
    .update(label)
    .digest();
  return Array.from({ length: n }, (_, i) =>
    BigInt.asIntN(bits, BigInt(`0x${bytes.subarray(64 * i, 64 * i + 64).toString('hex')}`)),
  );
}

describe('generators', () => {
  it('are those of RFC 9496 element derivation', () => {
    for (const j of [0, 1, 31, 32, 33, 255, 256, 257, 4095, 4096, 4097, 8192]) {
      expect(hex(commitCells(unit(j), IDENTITY))).toBe(generator(j).toHex());
    }
    expect(hex(commitCells(CellVector.zeros(0), encode(1n)))).toBe(H.toHex());
  });

  it('keep their published values', () => {
    expect(hex(commitCells(unit(0), IDENTITY))).toBe(
      '8458f62a87c806d32f8e47389f6893e16231138608c78fc87ccc25a462e46a77',
    );
    expect(hex(commitCells(CellVector.zeros(0), encode(1n)))).toBe(
      '8a9559510aecbaf2136656c26657892e4c4155f8af03370a63f143683911fa39',
    );
  });
});

describe('commitCells', () => {
  it('is sum x_j G_j + r H', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 12 }), scalar, (values, r) => {
        expect(hex(commitCells(CellVector.fromBigInts(values), encode(r)))).toBe(reference(values, r));
      }),
      { numRuns: 60 },
    );
  });

  it('takes no cells, and cells that are all zero', () => {
    expect(commitCells(CellVector.zeros(0), IDENTITY)).toEqual(IDENTITY);
    expect(commitCells(CellVector.zeros(100), IDENTITY)).toEqual(IDENTITY);
    expect(hex(commitCells(CellVector.zeros(100), encode(7n)))).toBe(H.multiply(7n).toHex());
  });

  it.each([1, 7, 8, 9, 16, 63, 64, 65, 118])('handles every sign and carry about %d bits', (bits) => {
    const b = 2n ** BigInt(bits);
    const values = [b, -b, b - 1n, 1n - b, b + 1n, -1n - b, b / 2n, -b / 2n, 0n, 1n, -1n];
    expect(hex(commitCells(CellVector.fromBigInts(values), encode(3n)))).toBe(reference(values, 3n));
  });

  it('agrees with noble on 300 mixed cells', () => {
    const values = manyValues(300, 119, 'mixed').map((x, i) => x >> BigInt((i * 7) % 119));
    expect(hex(commitCells(CellVector.fromBigInts(values), encode(L - 1n)))).toBe(reference(values, L - 1n));
  });

  it.each([16383, 16384, 16385, 40_000])('is additive over %d cells, across segments', (n) => {
    const a = manyValues(n, 64, 'a');
    const b = manyValues(n, 30, 'b');
    const sum = a.map((x, i) => x + b[i]!);
    const commitments = [
      commitCells(CellVector.fromBigInts(a), encode(5n)),
      commitCells(CellVector.fromBigInts(b), encode(L - 2n)),
    ];
    expect(addCommitments(commitments)).toEqual(commitCells(CellVector.fromBigInts(sum), encode(3n)));
    // The same sum cut in two, so that segments and windows fall differently.
    const head = CellVector.fromBigInts(sum.map((x, i) => (i < 100 ? x : 0n)));
    const tail = CellVector.fromBigInts(sum.map((x, i) => (i < 100 ? 0n : x)));
    expect(addCommitments([commitCells(head, encode(1n)), commitCells(tail, encode(2n))])).toEqual(
      addCommitments(commitments),
    );
  });

  it('commits to 100,000 cells within 100 MB of memory', () => {
    const ones = CellVector.fromBytes(new Uint8Array(16 * 100_000).map((_, i) => (i % 16 === 0 ? 1 : 0)));
    const twos = CellVector.fromBytes(ones.bytes.map((byte) => 2 * byte));
    const one = commitCells(ones, encode(4n));
    expect(addCommitments([one, one])).toEqual(commitCells(twos, encode(8n)));
    expect(memory().length).toBeLessThan(30e6);
  });

  it('refuses blindings that are no scalars, and vectors beyond the generators', () => {
    const cells = CellVector.zeros(1);
    expect(() => commitCells(cells, new Uint8Array(31))).toThrow(code('BAD_LENGTH'));
    expect(() => commitCells(cells, encode(L))).toThrow(code('NON_CANONICAL'));
    expect(() => commitCells(CellVector.zeros(MAX_GENERATORS + 1), IDENTITY)).toThrow(code('BAD_LENGTH'));
  });

  it('leaves no cells in the kernels’ memory', () => {
    const marker = 0x5eed_c0de_5eed_c0de_5eed_c0den;
    const cells = CellVector.fromBigInts(Array<bigint>(50).fill(marker));
    commitCells(cells, encode(9n));
    expect(Buffer.from(memory()).indexOf(cells.bytes.subarray(0, 12))).toBe(-1);
  });
});

describe('commitScalars', () => {
  it('is sum s_j G_j + r H at full width', () => {
    fc.assert(
      fc.property(fc.array(scalar, { maxLength: 8 }), scalar, (values, r) => {
        const scalars = ScalarVector.fromBytes(Buffer.concat(values.map(encode)));
        expect(hex(commitScalars(scalars, encode(r)))).toBe(reference(values, r));
      }),
      { numRuns: 60 },
    );
  });

  it('agrees with noble on every edge', () => {
    for (const value of EDGES) {
      expect(hex(commitScalars(ScalarVector.fromBytes(encode(value)), encode(value)))).toBe(reference([value], value));
    }
  });

  it('agrees with noble on 300 full-width scalars', () => {
    const values = manyValues(300, 300, 'wide').map(mod);
    const scalars = ScalarVector.fromBytes(Buffer.concat(values.map(encode)));
    expect(hex(commitScalars(scalars, encode(1n)))).toBe(reference(values, 1n));
  });

  it('gives one encoding for s < 0 and l + s, whose representatives differ by torsion', () => {
    const values = manyValues(2000, 119, 'torsion');
    const cells = CellVector.fromBigInts(values);
    expect(commitScalars(ScalarVector.fromCells(cells), encode(11n))).toEqual(commitCells(cells, encode(11n)));
  });

  it('binds shares to what they share', () => {
    const x = ScalarVector.fromCells(CellVector.fromBigInts([5n, -3n, 0n]));
    const mask = ScalarVector.fromBytes(Buffer.concat(manyValues(3, 300, 'mask').map((v) => encode(mod(v)))));
    const rest = ScalarVector.fromBytes(x.bytes.slice());
    rest.subtractInto(mask);
    const [r, s] = [encode(L - 5n), encode(77n)];
    expect(addCommitments([commitScalars(mask, r), commitScalars(rest, s)])).toEqual(
      commitScalars(x, addScalars(r, s)),
    );
  });
});

describe('commitments', () => {
  const multiple = (k: bigint): Uint8Array => (k === 0n ? IDENTITY : Point.BASE.multiply(k).toBytes());

  it('add and subtract as elements', () => {
    fc.assert(
      fc.property(fc.array(scalar, { maxLength: 6 }), scalar, (values, k) => {
        const list = values.map(multiple);
        const sum = mod(values.reduce((t, v) => t + v, 0n));
        expect(addCommitments(list)).toEqual(multiple(sum));
        expect(subtractCommitments(multiple(sum), multiple(k))).toEqual(multiple(mod(sum - k)));
      }),
      { numRuns: 60 },
    );
    expect(addCommitments([])).toEqual(IDENTITY);
    expect(subtractCommitments(multiple(5n), multiple(5n))).toEqual(IDENTITY);
  });

  it('re-encode the small multiples of the base (RFC 9496, A.1)', () => {
    for (let k = 0n; k < 16n; k++) expect(addCommitments([multiple(k)])).toEqual(multiple(k));
    expect(hex(addCommitments([multiple(1n)]))).toBe(
      'e2f2ae0a6abc4e71a884a961c500515f58e30b6aa582dd8db6a65945e08d2d76',
    );
  });

  it.each([
    ['bad-non-canonical', '00ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff'],
    ['bad-non-canonical', 'ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['bad-non-canonical', 'f3ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['bad-non-canonical-zero', 'edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['bad-high-bit', '0000000000000000000000000000000000000000000000000000000000000080'],
    ['bad-negative', '0100000000000000000000000000000000000000000000000000000000000000'],
    ['bad-negative', '01ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
    ['bad-non-square', '0200000000000000000000000000000000000000000000000000000000000000'],
    ['bad-y-zero', 'ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f'],
  ])('refuse %s %s', (_, text) => {
    const bytes = Uint8Array.from(Buffer.from(text, 'hex'));
    expect(() => Point.fromBytes(bytes)).toThrow();
    expect(() => addCommitments([multiple(3n), bytes])).toThrow(code('BAD_POINT'));
    expect(() => subtractCommitments(multiple(3n), bytes)).toThrow(code('BAD_POINT'));
    expect(() => subtractCommitments(bytes, multiple(3n))).toThrow(code('BAD_POINT'));
  });

  it('accept exactly the encodings that noble accepts', () => {
    const even = fc.uint8Array({ minLength: 32, maxLength: 32 }).map((b) => {
      b[0] = b[0]! & 0xfe;
      b[31] = b[31]! & 0x7f;
      return b;
    });
    fc.assert(
      fc.property(fc.oneof(even, fc.uint8Array({ minLength: 32, maxLength: 32 })), (bytes) => {
        let valid = true;
        try {
          Point.fromBytes(bytes);
        } catch {
          valid = false;
        }
        if (valid) expect(addCommitments([bytes])).toEqual(new Uint8Array(bytes));
        else expect(() => addCommitments([bytes])).toThrow(code('BAD_POINT'));
      }),
      { numRuns: 500 },
    );
  });

  it('refuse bytes of a wrong length', () => {
    expect(() => addCommitments([new Uint8Array(33)])).toThrow(code('BAD_LENGTH'));
    expect(() => subtractCommitments(new Uint8Array(0), IDENTITY)).toThrow(code('BAD_LENGTH'));
  });
});
