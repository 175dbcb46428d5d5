import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { actionForm, entryHash } from '../../protocol/ledger-text.ts';
import { decodeBatch, type Batch } from './batch.ts';
import { ANSWER_LIMIT, entryBatch, PAGE_ENTRIES } from './wire.ts';

const digits = (bytes: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: bytes, maxLength: bytes }).map((each) => Buffer.from(each).toString('hex'));
const name = fc.stringMatching(/^[a-z0-9][a-z0-9_-]{0,62}$/);
const time = fc
  .date({ min: new Date(0), max: new Date('9999-12-31'), noInvalidDate: true })
  .map((each) => each.toISOString());
const approval = fc.record({ type: fc.constant('approveQuery' as const), query: digits(32) });
const commitment = fc.record(
  {
    type: fc.constant('recordCommitment' as const),
    session: digits(32),
    step: fc.integer({ min: 0, max: 999 }),
    commitment: digits(32),
    consentEpoch: fc.constantFrom('2026-01', '2999-12'),
  },
  { requiredKeys: ['type', 'session', 'step', 'commitment'] },
);
const other = fc.record({ type: fc.constant('denyQuery' as const), query: digits(32), reason: fc.constant('no') });

const entryOf = (action: fc.Arbitrary<object>) =>
  fc.record({
    index: fc.nat(),
    previous: digits(32),
    time,
    signed: fc.record({
      consortium: digits(32),
      caller: fc.record({ organisation: name, publicKey: digits(32) }),
      action,
      signature: digits(64),
    }),
  });
const head = fc.record({
  consortium: digits(32),
  size: fc.integer({ min: 1 }),
  root: digits(32),
  publicKey: digits(32),
  signature: digits(64),
});
const batchOf = (...kinds: fc.Arbitrary<object>[]) =>
  fc.record({ head, entries: fc.array(entryOf(fc.oneof(...kinds)), { maxLength: 4 }) });

const asAnyDocument = (text: string): Batch =>
  decodeDocument(entryBatch, text, { what: 'ledger stream', limit: ANSWER_LIMIT });

function outcome(decode: (text: string) => Batch, text: string): unknown {
  try {
    return decode(text);
  } catch (error) {
    return (error as { code: string }).code;
  }
}

describe('a batch of the stream', () => {
  test('is what any decoder makes of it, with the canonical forms of its actions', () =>
    fc.assert(
      fc.property(batchOf(approval, commitment, other), (batch) => {
        const decoded = decodeBatch(canonicalText(batch));
        expect(decoded).toEqual(asAnyDocument(canonicalText(batch)));
        for (const { signed } of decoded.entries) {
          const { consortium, caller, action } = signed;
          expect(actionForm(signed).text).toBe(canonicalText({ consortium, caller, action }));
        }
        const anew = asAnyDocument(canonicalText(batch));
        expect(decoded.entries.map(entryHash)).toEqual(anew.entries.map(entryHash));
      }),
    ));

  test('that was changed anywhere is decoded or refused as any document', () =>
    fc.assert(
      fc.property(
        batchOf(approval, commitment),
        fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
        fc.constantFrom('', '0', '9', 'a', 'F', '"', ',', '}', '[', ':', ' ', '-', '\\u0061', '"a":1,'),
        fc.nat(3),
        (batch, where, put, cut) => {
          const text = canonicalText(batch);
          const at = Math.floor(where * text.length);
          const changed = text.slice(0, at) + put + text.slice(at + cut);
          expect(outcome(decodeBatch, changed)).toEqual(outcome(asAnyDocument, changed));
        },
      ),
      { numRuns: 2000 },
    ));

  test.each([
    ['a day that no month has', '2026-02-30T00:00:00.000Z'],
    ['a time that is none', '::::'],
    ['a time with an offset', '2026-02-03T00:00:00.000-01:00'],
  ])('with %s is refused', (_, time) => {
    const [batch] = fc.sample(fc.record({ head, entries: fc.tuple(entryOf(approval)) }), 1);
    const text = canonicalText({ ...batch, entries: [{ ...batch!.entries[0], time }] });
    expect(() => decodeBatch(text)).toThrow(expect.objectContaining({ code: 'MALFORMED' }) as Error);
  });

  test('of more entries than a page takes is refused', () => {
    const [batch] = fc.sample(fc.record({ head, entry: entryOf(commitment) }), 1);
    const of = (count: number): string =>
      canonicalText({ head: batch!.head, entries: Array.from({ length: count }, () => batch!.entry) });
    expect(decodeBatch(of(PAGE_ENTRIES)).entries).toHaveLength(PAGE_ENTRIES);
    expect(() => decodeBatch(of(PAGE_ENTRIES + 1))).toThrow(expect.objectContaining({ code: 'MALFORMED' }) as Error);
  });
});
