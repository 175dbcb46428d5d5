import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { AuthenticatedBits } from '../../mpc/boolean/bits.ts';
import { PreparedStock } from '../../mpc/preprocessing/prepared-stock.ts';
import { RosterSetup } from '../../mpc/preprocessing/setup.ts';
import { dealSetups } from '../../mpc/testing/rosters.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { mutations, total } from './mutate.ts';

const random = seededRandom('stored');
const some = (count: number): AuthenticatedBits => new AuthenticatedBits(random(count / 8), random(16 * count));
const stockOf = (triples: number, bits: number, masks: readonly [string, number][]): PreparedStock =>
  new PreparedStock(
    random(16),
    { a: some(triples), b: some(triples), c: some(triples) },
    some(bits),
    new Map(masks.map(([owner, count]) => [owner, some(count)])),
  );

/** What a hospital keeps in sealed places and reads back: binary forms with one encoding each. */
const STORED: readonly {
  readonly name: string;
  readonly decode: (bytes: Uint8Array) => { encode(): Uint8Array };
  readonly valid: readonly Uint8Array[];
}[] = [
  {
    name: 'setup of a roster',
    decode: (bytes) => RosterSetup.decode(bytes),
    valid: [...dealSetups(['anna', 'bert'], 'two'), ...dealSetups(['anna', 'bert', 'carl'], 'three')].map((each) =>
      each.encode(),
    ),
  },
  {
    name: 'prepared stock',
    decode: (bytes) => PreparedStock.decode(bytes),
    valid: [
      stockOf(0, 0, []),
      stockOf(128, 0, [['anna', 128]]),
      stockOf(256, 128, [
        ['anna', 0],
        ['bert', 128],
      ]),
    ].map((each) => each.encode()),
  },
];

describe.each(STORED)('a $name', ({ decode, valid }) => {
  test('comes back from its encoding as it was', () => {
    for (const bytes of valid) expect(Buffer.from(decode(bytes).encode())).toEqual(Buffer.from(bytes));
  });

  test('with a byte too many or too few is refused', () => {
    for (const bytes of valid) {
      for (const other of [Buffer.concat([bytes, Buffer.alloc(1)]), bytes.subarray(0, -1), bytes.subarray(1)])
        expect(total(() => decode(other))).toMatchObject({ error: { kind: 'Misuse', code: 'MALFORMED' } });
    }
  });

  test('mutated decodes to what encodes to the same bytes, or ends in one of our errors', () => {
    fc.assert(
      fc.property(mutations(valid), (bytes) => {
        const decoded = total(() => decode(bytes));
        if ('value' in decoded) expect(Buffer.from(decoded.value.encode())).toEqual(Buffer.from(bytes));
        else expect(decoded.error).toMatchObject({ kind: 'Misuse', code: 'MALFORMED' });
      }),
      { numRuns: 1500 },
    );
  });
});
