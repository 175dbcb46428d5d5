import { ristretto255 } from '@noble/curves/ed25519.js';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '../../protocol/bytes.ts';
import { CellVector } from '../cells.ts';
import { addCommitments, commitCells, commitScalars } from '../pedersen.ts';
import { addScalars, ScalarVector, SCALAR_ORDER } from '../scalars.ts';
import { seededRandom } from '../testing/world.ts';
import { CellSet } from './cell-set.ts';
import { challengeOf, concealedCommitment, Concealment } from './concealment.ts';

const agreement = new Uint8Array(32).fill(5);

describe('concealed cells', () => {
  it('open to noise, the others to their values, and the whole to C + e A', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.bigInt(-1000n, 1000n), fc.boolean()), { maxLength: 40 }),
        fc.string(),
        (cells, seed) => {
          const random = seededRandom(seed);
          const values = CellVector.fromBigInts(cells.map(([value]) => value));
          const released = CellSet.of(cells.length, (i) => cells[i]![1]);
          const blinding = new Uint8Array(32).fill(3);
          const concealment = new Concealment(released, random);
          const challenge = challengeOf(agreement, released, [concealment.announcement]);
          const response = concealment.respond(challenge);

          const opened = ScalarVector.fromCells(values);
          opened.addInto(response.cells);
          const sent = commitScalars(opened, addScalars(blinding, response.blinding));
          expect(toHex(sent)).toBe(
            toHex(concealedCommitment(commitCells(values, blinding), concealment.announcement, challenge)),
          );
          const plain = ScalarVector.fromCells(values).bytes;
          cells.forEach(([, opens], i) =>
            expect(
              toHex(opened.bytes.subarray(32 * i, 32 * i + 32)) === toHex(plain.subarray(32 * i, 32 * i + 32)),
            ).toBe(opens),
          );
        },
      ),
      { numRuns: 30 },
    );
  });

  it('multiplies elements as the reference does', () => {
    const base = ristretto255.Point.BASE;
    for (const factor of [0n, 1n, 2n, 3n, SCALAR_ORDER - 1n, 0x1234_5678_9abc_def0n]) {
      const expected = factor === 0n ? ristretto255.Point.ZERO : base.multiply(factor);
      expect(toHex(concealedCommitment(new Uint8Array(32), base.toBytes(), factor))).toBe(expected.toHex());
    }
  });

  it('adds up over parties: the sum of C_i + e A_i is what the sum of their openings commits to', () => {
    const released = CellSet.of(3, (i) => i === 1);
    const parties = ['a', 'b', 'c'].map((name, i) => ({
      cells: CellVector.fromBigInts([BigInt(i), BigInt(10 * i), -5n]),
      blinding: new Uint8Array(32).fill(i + 1),
      concealment: new Concealment(released, seededRandom(name)),
    }));
    const announcements = parties.map((party) => party.concealment.announcement);
    const challenge = challengeOf(agreement, released, announcements);
    const sum = ScalarVector.zeros(3);
    let blinding: Uint8Array = new Uint8Array(32);
    for (const party of parties) {
      const response = party.concealment.respond(challenge);
      sum.addInto(ScalarVector.fromCells(party.cells));
      sum.addInto(response.cells);
      blinding = addScalars(addScalars(blinding, party.blinding), response.blinding);
    }
    const commitment = addCommitments(parties.map((party) => commitCells(party.cells, party.blinding)));
    expect(toHex(commitScalars(sum, blinding))).toBe(
      toHex(concealedCommitment(commitment, addCommitments(announcements), challenge)),
    );
    expect(sum.bytes[32]).toBe(30);
  });

  it('draws another challenge for another agreement, pattern, or announcement', () => {
    const released = CellSet.of(9, (i) => i < 4);
    const one = new Uint8Array(32).fill(1);
    const challenges = [
      challengeOf(agreement, released, [one]),
      challengeOf(one, released, [one]),
      challengeOf(
        agreement,
        CellSet.of(9, (i) => i < 5),
        [one],
      ),
      challengeOf(
        agreement,
        CellSet.of(10, (i) => i < 4),
        [one],
      ),
      challengeOf(agreement, released, [agreement]),
      challengeOf(agreement, released, [one, one]),
    ];
    expect(new Set(challenges).size).toBe(challenges.length);
  });
});

describe('a set of cells', () => {
  it('survives its encoding, and only the one encoding', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { maxLength: 50 }), (bits) => {
        const set = CellSet.of(bits.length, (i) => bits[i]!);
        const again = CellSet.fromBase64(bits.length, set.toBase64());
        expect(bits.map((_, i) => again.has(i))).toEqual(bits);
        expect(set.size).toBe(bits.filter(Boolean).length);
      }),
    );
    const malformed = expect.objectContaining({ code: 'MALFORMED' }) as unknown;
    for (const [length, text] of [
      [8, ''],
      [8, 'AAA='],
      [7, 'gA=='],
      [8, 'gA'],
      [8, 'gB=='],
      [0, 'AA=='],
    ] as const) {
      expect(() => CellSet.fromBase64(length, text)).toThrow(malformed);
    }
  });
});
