import { describe, expect, it } from 'vitest';
import type { ConsentEpoch } from '../../protocol/consent.ts';
import type { QueryRecord } from '../../protocol/records.ts';
import { datasetSchema, type DatasetSchema } from '../../protocol/schema.ts';
import { SiteConsent } from './consent.ts';

const schemaOf = (consent: DatasetSchema['consent'], version = 1): DatasetSchema =>
  datasetSchema.parse({
    dataset: 'visits',
    version,
    columns: [{ name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' }],
    ...(consent === undefined ? {} : { consent }),
  });

const record = (consentEpoch?: string): QueryRecord =>
  ({
    query: { dataset: 'visits@1', purpose: 'HMB' },
    ...(consentEpoch === undefined ? {} : { consentEpoch }),
  }) as QueryRecord;

function site(
  versions: readonly DatasetSchema[],
  { epochs = ['2026-10', '2026-11'], mapped = true, now = '2026-11-20T10:00:00Z' } = {},
): SiteConsent {
  return new SiteConsent({
    ledger: {
      schema: (reference) => versions.find(({ version }) => reference === `visits@${version}`),
      schemas: () => versions,
    },
    statements: {
      patients: () => [],
      consentEpochs: (): ConsentEpoch[] => epochs.map((period) => ({ period, by: 'audit' })),
    },
    hospital: 'north',
    mapped: () => mapped,
    now: () => new Date(now),
  });
}

describe('what a node answers by patients’ consent', () => {
  const optIn = schemaOf({ basis: 'opt-in' });

  it('asks nothing where the dataset asks for no consent', () => {
    for (const schema of [schemaOf(undefined), schemaOf({ basis: 'none' })]) {
      expect(site([schema], { epochs: [], mapped: false }).require(record())).toBeUndefined();
    }
  });

  it.each(['opt-in', 'opt-out'] as const)('takes the epoch in effect, with %s', (basis) => {
    const found = site([schemaOf({ basis })]).require(record('2026-11'));
    expect(found).toMatchObject({ basis, purpose: 'HMB', epoch: '2026-11' });
  });

  it('keeps to the grid of the dataset', () => {
    const quarterly = schemaOf({ basis: 'opt-in', everyMonths: 3 });
    expect(site([quarterly]).obstacle(record('2026-10'))).toBeUndefined();
    expect(site([quarterly]).obstacle(record('2026-11'))).toMatchObject({ decision: 'wait' });
  });

  it.each([
    ['without a mapping', site([optIn], { mapped: false }), record('2026-11'), /has not mapped its patients/],
    ['without an epoch', site([optIn]), record(), /names no epoch/],
    ['an epoch that is over', site([optIn]), record('2026-10'), /2026-10 is over, 2026-11 is in effect/],
    [
      'an epoch of a month to come',
      site([optIn], { epochs: ['2026-11', '2026-12'] }),
      record('2026-12'),
      /2026-12 lies ahead of this hospital's clock/,
    ],
    [
      'a rule that changed since',
      site([schemaOf(undefined), schemaOf({ basis: 'opt-in' }, 2)]),
      record(),
      /rule of visits changed after visits@1/,
    ],
    ['an unknown dataset', site([]), record('2026-11'), /not registered/],
  ])('denies %s, by name', (_, node, query, says) => {
    expect(node.obstacle(query)).toMatchObject({ decision: 'deny', reason: expect.stringMatching(says) as string });
    expect(() => node.require(query)).toThrow(expect.objectContaining({ kind: 'Refusal', code: 'POLICY' }));
  });

  it('waits for an epoch that its view does not show yet, and answers nothing meanwhile', () => {
    const node = site([optIn], { epochs: ['2026-10'] });
    expect(node.obstacle(record('2026-11'))).toMatchObject({ decision: 'wait' });
    expect(() => node.require(record('2026-11'))).toThrow(/is not open on the ledger/);
  });

  it('takes an epoch from the first moment of its month', () => {
    const epochs = ['2026-12'];
    const at = (now: string): SiteConsent => site([optIn], { epochs, now });
    expect(at('2026-11-30T23:59:59.999Z').obstacle(record('2026-12'))).toMatchObject({ decision: 'deny' });
    expect(at('2026-12-01T00:00:00.000Z').obstacle(record('2026-12'))).toBeUndefined();
  });
});
