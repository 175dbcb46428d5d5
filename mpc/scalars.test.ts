import { createCipheriv, createHash } from 'node:crypto';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CELL_LIMIT, CellVector } from './cells.ts';
import { type Mask, maskScalar, maskedChunks } from './masks.ts';
import { ShareSum } from './share-sum.ts';
import { SCALAR_ORDER as L, ScalarVector, addScalars, assertScalar, randomScalar, subtractScalars } from './scalars.ts';

const EDGES = [
  0n,
  1n,
  L - 1n,
  L - 2n,
  2n ** 252n,
  2n ** 252n - 1n,
  2n ** 252n + 1n,
  L >> 1n,
  (L >> 1n) + 1n,
  2n ** 64n,
];
const scalar = fc.oneof(fc.constantFrom(...EDGES), fc.bigInt(0n, L - 1n));
const cell = fc.oneof(
  fc.constantFrom(0n, -1n, 1n, CELL_LIMIT - 1n, 1n - CELL_LIMIT),
  fc.bigInt(1n - CELL_LIMIT, CELL_LIMIT - 1n),
);
const seed = fc.uint8Array({ minLength: 32, maxLength: 32 });
const mask: fc.Arbitrary<Mask> = fc.record({ seed, sign: fc.constantFrom<1 | -1>(1, -1) });

const mod = (x: bigint): bigint => ((x % L) + L) % L;
const code = (expected: string): unknown => expect.objectContaining({ code: expected });

function encode(values: readonly bigint[]): Uint8Array {
  const bytes = new Uint8Array(32 * values.length);
  values.forEach((value, i) => bytes.set(Buffer.from(value.toString(16).padStart(64, '0'), 'hex').reverse(), 32 * i));
  return bytes;
}

function decode(bytes: Uint8Array): bigint[] {
  return Array.from({ length: bytes.length / 32 }, (_, i) =>
    BigInt(`0x${Buffer.from(bytes.slice(32 * i, 32 * i + 32).reverse()).toString('hex')}`),
  );
}

function collect(chunks: Iterable<Uint8Array>): Uint8Array {
  return Buffer.concat([...chunksCopied(chunks)]);
}

function* chunksCopied(chunks: Iterable<Uint8Array>): Generator<Uint8Array> {
  for (const chunk of chunks) yield chunk.slice();
}

/** Deterministic scalars, enough to cross block boundaries. */
function manyScalars(n: number, label: string): bigint[] {
  const bytes = createHash('shake256', { outputLength: 64 * n })
    .update(label)
    .digest();
  return Array.from({ length: n }, (_, i) => BigInt(`0x${bytes.subarray(64 * i, 64 * i + 64).toString('hex')}`) % L);
}

describe('ScalarVector', () => {
  it('adds and subtracts mod l', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(scalar, scalar), { maxLength: 40 }), (pairs) => {
        const a = encode(pairs.map(([x]) => x));
        const b = ScalarVector.fromBytes(encode(pairs.map(([, y]) => y)));
        const sum = ScalarVector.fromBytes(a.slice());
        sum.addInto(b);
        expect(decode(sum.bytes)).toEqual(pairs.map(([x, y]) => mod(x + y)));
        const difference = ScalarVector.fromBytes(a.slice());
        difference.subtractInto(b);
        expect(decode(difference.bytes)).toEqual(pairs.map(([x, y]) => mod(x - y)));
      }),
    );
  });

  it('adds and subtracts every pair of edges', () => {
    for (const x of EDGES) {
      for (const y of EDGES) {
        expect(decode(addScalars(encode([x]), encode([y])))).toEqual([mod(x + y)]);
        expect(decode(subtractScalars(encode([x]), encode([y])))).toEqual([mod(x - y)]);
      }
    }
  });

  it.each([0, 1, 2047, 2048, 2049, 4096, 4097, 10_000])('works on %d scalars', (n) => {
    const x = manyScalars(n, 'x');
    const y = manyScalars(n, 'y');
    const sum = ScalarVector.fromBytes(encode(x));
    sum.addInto(ScalarVector.fromBytes(encode(y)));
    expect(decode(sum.bytes)).toEqual(x.map((v, i) => mod(v + y[i]!)));
  });

  it('stands for cells, and gives them back', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 40 }), (values) => {
        const scalars = ScalarVector.fromCells(CellVector.fromBigInts(values));
        expect(decode(scalars.bytes)).toEqual(values.map(mod));
        expect(scalars.toCells().toBigInts()).toEqual(values);
      }),
    );
    const many = manyScalars(5000, 'cells').map((x) => BigInt.asIntN(119, x));
    expect(ScalarVector.fromCells(CellVector.fromBigInts(many)).toCells().toBigInts()).toEqual(many);
  });

  it.each([
    CELL_LIMIT,
    -CELL_LIMIT,
    2n ** 127n,
    2n ** 128n,
    -(2n ** 128n),
    2n ** 192n,
    L >> 1n,
    2n ** 252n,
    -(2n ** 64n) * CELL_LIMIT,
  ])('refuses to make a cell of a scalar out of range', (value) => {
    const scalars = ScalarVector.fromBytes(encode([0n, mod(value), 0n]));
    expect(() => scalars.toCells()).toThrow(code('OUT_OF_RANGE'));
  });

  it('agrees with the definition about which scalars are cells', () => {
    fc.assert(
      fc.property(fc.oneof(scalar, cell.map(mod)), (value) => {
        const centred = value > L / 2n ? value - L : value;
        const isCell = centred < CELL_LIMIT && centred > -CELL_LIMIT;
        const scalars = ScalarVector.fromBytes(encode([value]));
        if (isCell) expect(scalars.toCells().at(0)).toBe(centred);
        else expect(() => scalars.toCells()).toThrow(code('OUT_OF_RANGE'));
      }),
    );
  });

  it.each([L, L + 1n, 2n ** 253n, 2n ** 252n + 2n ** 128n, L + 2n ** 64n, 2n ** 256n - 1n])(
    'refuses bytes not below l',
    (value) => {
      const bytes = encode([...manyScalars(3000, 'z'), value]);
      expect(() => ScalarVector.fromBytes(bytes)).toThrow(code('NON_CANONICAL'));
      expect(() => assertScalar(encode([value]))).toThrow(code('NON_CANONICAL'));
    },
  );

  it('refuses broken scalars and unequal lengths', () => {
    expect(() => ScalarVector.fromBytes(new Uint8Array(33))).toThrow(code('BAD_LENGTH'));
    expect(() => ScalarVector.zeros(2).addInto(ScalarVector.zeros(3))).toThrow(code('BAD_LENGTH'));
    expect(() => ScalarVector.zeros(2).subtractInto(ScalarVector.zeros(1))).toThrow(code('BAD_LENGTH'));
  });

  it('does not print its contents', () => {
    const scalars = ScalarVector.fromBytes(encode([0xabcdefn]));
    const sum = new ShareSum(1);
    sum.add(0, scalars.bytes);
    for (const value of [scalars, sum]) {
      expect(inspect(value)).toMatch(/^\w+\(1, redacted\)$/);
      expect(JSON.stringify(value)).toMatch(/^"\w+\(1, redacted\)"$/);
    }
  });
});

describe('maskedChunks', () => {
  /** PRG(seed)_i, by the definition and one cipher for all. */
  function prg(key: Uint8Array, n: number): bigint[] {
    const stream = createCipheriv('aes-256-ctr', key, Buffer.alloc(16)).update(Buffer.alloc(32 * n));
    return decode(stream).map((v) => BigInt.asUintN(252, v));
  }

  it('adds the masks with their signs', () => {
    fc.assert(
      fc.property(fc.array(cell, { maxLength: 30 }), fc.array(mask, { maxLength: 4 }), (values, masks) => {
        const share = collect(maskedChunks(CellVector.fromBigInts(values), masks, 7));
        const expected = values.map((x, i) =>
          mod(masks.reduce((t, m) => t + BigInt(m.sign) * prg(m.seed, values.length)[i]!, x)),
        );
        expect(decode(share)).toEqual(expected);
      }),
    );
  });

  const cells = CellVector.fromBigInts(manyScalars(9000, 'chunks').map((x) => BigInt.asIntN(100, x)));
  const masks: Mask[] = [
    { seed: new Uint8Array(32).fill(1), sign: 1 },
    { seed: new Uint8Array(32).fill(2), sign: -1 },
  ];

  it('gives the same bytes for any chunk size', () => {
    const expected = collect(maskedChunks(cells, masks));
    expect(expected.length).toBe(32 * 9000);
    for (const size of [1, 100, 2047, 2048, 2049, 4095, 4097, 6000, 8999, 9000, 9001, 1_000_000]) {
      const chunks = [...chunksCopied(maskedChunks(cells, masks, size))];
      expect(chunks.every((c, i) => c.length === 32 * Math.min(size, 9000 - i * size))).toBe(true);
      expect(Buffer.concat(chunks).equals(expected)).toBe(true);
    }
  });

  it('is undisturbed by another generator running in between', () => {
    const expected = collect(maskedChunks(cells, masks, 1000));
    const other = maskedChunks(cells, masks.slice(1), 1500);
    const interleaved: Uint8Array[] = [];
    for (const chunk of maskedChunks(cells, masks, 1000)) {
      other.next();
      interleaved.push(chunk.slice());
    }
    expect(Buffer.concat(interleaved).equals(expected)).toBe(true);
  });

  it('leaves nothing in the memory that the next share is made in', () => {
    const abandoned = maskedChunks(cells, masks, 1000);
    const chunk = (abandoned.next().value as Uint8Array).subarray(0, 320);
    expect(chunk.some((byte) => byte !== 0)).toBe(true);
    abandoned.return();
    expect(chunk.every((byte) => byte === 0)).toBe(true);
  });

  it('yields nothing for no cells', () => {
    expect([...maskedChunks(CellVector.zeros(0), masks)]).toEqual([]);
  });

  it('lets the masks of a pair cancel', () => {
    const [m] = masks as [Mask];
    const sum = new ShareSum(cells.length);
    sum.add(0, collect(maskedChunks(cells, [m])));
    sum.add(0, collect(maskedChunks(cells, [{ seed: m.seed, sign: -1 }])));
    expect(sum.total().toCells().toBigInts()).toEqual(cells.toBigInts().map((x) => 2n * x));
  });

  it('agrees with maskScalar', () => {
    const zero = collect(maskedChunks(CellVector.zeros(3000), [masks[0]!]));
    for (const i of [0, 1, 2047, 2048, 2999]) {
      expect(maskScalar(masks[0]!.seed, i)).toEqual(new Uint8Array(zero.subarray(32 * i, 32 * i + 32)));
    }
  });

  it('refuses seeds and chunks of a wrong size', () => {
    const short: Mask = { seed: new Uint8Array(31), sign: 1 };
    expect(() => maskedChunks(cells, [short]).next()).toThrow(code('BAD_LENGTH'));
    expect(() => maskedChunks(cells, masks, 0).next()).toThrow(code('BAD_LENGTH'));
    expect(() => maskScalar(short.seed, 0)).toThrow(code('BAD_LENGTH'));
    expect(() => maskScalar(masks[0]!.seed, -1)).toThrow(code('OUT_OF_RANGE'));
  });
});

describe('ShareSum', () => {
  it('adds chunks of any size, in any order', () => {
    const n = 5000;
    const shares = ['a', 'b', 'c'].map((label) => manyScalars(n, label));
    const sum = new ShareSum(n);
    for (const [party, size] of [777, 5000, 2048].entries()) {
      const bytes = encode(shares[party]!);
      const offsets = Array.from({ length: Math.ceil(n / size) }, (_, i) => i * size).reverse();
      for (const at of offsets) sum.add(at, bytes.subarray(32 * at, 32 * (at + size)));
    }
    expect(decode(sum.total().bytes)).toEqual(
      Array.from({ length: n }, (_, i) => mod(shares.reduce((t, s) => t + s[i]!, 0n))),
    );
  });

  it('is as before after a bad chunk', () => {
    const good = encode(manyScalars(5000, 'good'));
    const bad = encode(manyScalars(5000, 'bad'));
    bad.set(encode([L]), 32 * 4500);
    const sum = new ShareSum(5000);
    sum.add(0, good);
    expect(() => sum.add(0, bad)).toThrow(code('NON_CANONICAL'));
    expect(sum.total().bytes).toEqual(good);
  });

  it('refuses broken chunks and chunks that reach outside', () => {
    const sum = new ShareSum(4);
    expect(() => sum.add(0, new Uint8Array(31))).toThrow(code('BAD_LENGTH'));
    for (const at of [-1, 3, 4, 0.5, NaN]) {
      expect(() => sum.add(at, new Uint8Array(64))).toThrow(code('OUT_OF_RANGE'));
    }
    sum.add(4, new Uint8Array(0));
  });

  it('keeps what lies before, after and between chunks apart', () => {
    const n = 5000;
    const [a, b, c] = ['a', 'b', 'c'].map((label) => manyScalars(n, label)) as [bigint[], bigint[], bigint[]];
    const sum = new ShareSum(n);
    const add = (values: readonly bigint[], from: number, to: number): void =>
      sum.add(from, encode(values).subarray(32 * from, 32 * to));
    add(a, 0, 1000);
    add(b, 3000, 4000);
    add(a, 1000, n);
    add(b, 0, 3000);
    add(c, 0, n);
    add(b, 4000, n);
    expect(decode(sum.total().bytes)).toEqual(a.map((x, i) => mod(x + b[i]! + c[i]!)));
  });

  it('refuses a bad chunk where nothing was before, and longer ones as a whole', () => {
    const n = 40_000;
    const values = manyScalars(n, 'long');
    const bad = encode(values);
    bad.set(encode([L]), 32 * 39_999);
    const sum = new ShareSum(n);
    expect(() => sum.add(0, bad)).toThrow(code('NON_CANONICAL'));
    expect(sum.total().bytes.every((byte) => byte === 0)).toBe(true);
    sum.add(0, encode(values));
    sum.add(0, encode(values));
    expect(decode(sum.total().bytes)).toEqual(values.map((x) => mod(2n * x)));
  });

  it('opens in place, to what the total stands for', () => {
    const values = manyScalars(5000, 'cells').map((x) => BigInt.asIntN(119, x));
    const share = encode(manyScalars(5000, 'mask'));
    const rest = ScalarVector.fromCells(CellVector.fromBigInts(values));
    rest.subtractInto(ScalarVector.fromBytes(share));
    const sum = new ShareSum(5000);
    sum.add(0, share);
    sum.add(0, rest.bytes);
    expect(sum.total().toCells().toBigInts()).toEqual(values);
    expect(sum.cells().toBigInts()).toEqual(values);
    expect(sum.cells().toBigInts()).toEqual(values);
    expect(() => sum.add(0, share)).toThrow(code('OUT_OF_ORDER'));
    expect(() => sum.total()).toThrow(code('OUT_OF_ORDER'));
  });

  it('does not open to a number that is no cell, however often it is asked', () => {
    const sum = new ShareSum(3);
    sum.add(0, encode([1n, CELL_LIMIT, 2n]));
    for (let i = 0; i < 2; i++) expect(() => sum.cells()).toThrow(code('OUT_OF_RANGE'));
    expect(() => sum.add(0, encode([1n]))).toThrow(code('OUT_OF_ORDER'));
  });

  it('gives a copy of the total', () => {
    const sum = new ShareSum(1);
    const before = sum.total();
    sum.add(0, encode([5n]));
    expect(decode(before.bytes)).toEqual([0n]);
  });
});

describe('single scalars', () => {
  it('reduces 64 random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 64, maxLength: 64 }), (wide) => {
        const expected = BigInt(`0x${Buffer.from(wide).reverse().toString('hex')}`) % L;
        expect(decode(randomScalar(() => wide))).toEqual([expected]);
      }),
    );
    expect(() => randomScalar(() => new Uint8Array(32))).toThrow(code('BAD_LENGTH'));
  });

  it('refuses operands that are no scalars', () => {
    const one = encode([1n]);
    expect(() => addScalars(one, encode([L]))).toThrow(code('NON_CANONICAL'));
    expect(() => subtractScalars(encode([L]), one)).toThrow(code('NON_CANONICAL'));
    expect(() => addScalars(one, new Uint8Array(64))).toThrow(code('BAD_LENGTH'));
  });
});
