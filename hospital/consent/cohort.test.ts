import { rmSync } from 'node:fs';
import { inspect } from 'node:util';
import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';
import { normalizeQuery, planQuery } from '../../analytics/index.ts';
import { consentsAt } from '../../ledger/consent.ts';
import type { ConsentRecord, PatientRecord } from '../../protocol/consent.ts';
import { Identity } from '../../protocol/identity.ts';
import { datasetSchema, type DatasetSchema } from '../../protocol/schema.ts';
import { LocalData } from '../local-data.ts';
import type { SourceInput } from '../source/index.ts';
import { sourceConfig } from '../source/index.ts';
import { SENTINELS, temporaryFolder, writeParquet, writeText } from '../source/testing/files.ts';
import type { ConsentBasis } from './consent.ts';

const folder = temporaryFolder();
afterAll(() => rmSync(folder, { recursive: true }));

type Basis = 'opt-in' | 'opt-out' | 'none';
const schemaOf = (basis: Basis, version = 1): DatasetSchema =>
  datasetSchema.parse({
    dataset: 'visits',
    version,
    columns: [
      { name: 'person', type: 'identifier' },
      { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
    ],
    consent: { basis },
  });

const QUERY = {
  dataset: 'visits',
  purpose: 'HMB',
  statistics: [{ count: {} }, { sum: { column: 'age' } }],
  release: { minimumCell: 1, insiderRule: false },
};

/** Count and sum of ages over the rows that consent leaves. */
async function scan(
  data: LocalData,
  schema: DatasetSchema,
  consent: Omit<ConsentBasis, 'purpose' | 'epoch'> | undefined,
): Promise<readonly [count: number, sum: number]> {
  const plan = planQuery(
    normalizeQuery(QUERY, () => schema),
    schema,
  );
  const { cells } = await data.scan(plan, schema, consent && { purpose: 'HMB', epoch: '2026-11', ...consent });
  return [Number(cells.at(0)), Number(cells.at(plan.cells - 1))];
}

const open = (input: SourceInput): LocalData => new LocalData({ visits: sourceConfig.parse({ threads: 1, ...input }) });
const keyOf = Array.from({ length: 8 }, () => Identity.generate().publicKey);
const decided = (...entries: [number, 'grant' | 'withdraw'][]): ConsentBasis['decisions'] => {
  const map = new Map(entries.map(([at, decision]) => [keyOf[at]!, decision]));
  return () => map;
};

/** Says anew, from the rule in words, which rows count. */
function plainly(
  rows: readonly { person: string; age: number }[],
  basis: Basis,
  mapped: ReadonlyMap<string, string>,
  patients: readonly PatientRecord[],
  use: { dataset: string; purpose: string; hospital: string; epoch: string },
): [number, number] {
  const verdict = (person: string): string | undefined => {
    const said = patients.find(({ patient }) => patient === mapped.get(person))?.consents ?? [];
    const fitting = said
      .filter(({ epoch }) => epoch === undefined || epoch < use.epoch)
      .filter(({ dataset }) => dataset === '*' || dataset === use.dataset)
      .filter(({ purposes }) => purposes === '*' || purposes.includes(use.purpose))
      .filter(({ hospitals }) => hospitals === '*' || hospitals.includes(use.hospital));
    return fitting.sort((one, other) => other.sequence - one.sequence)[0]?.decision;
  };
  const kept = rows.filter(({ person }) => {
    if (basis === 'none') return true;
    const name = person.trim();
    if (name === '' || name === 'NA') return false;
    return basis === 'opt-in' ? verdict(name) === 'grant' : verdict(name) !== 'withdraw';
  });
  return [kept.length, kept.reduce((sum, { age }) => sum + age, 0)];
}

const names = ['p1', 'p2', 'P1', '007', '7', "o'neil", 'Zoë', 'x y'] as const;
const row = fc.record({
  person: fc.constantFrom(...names, ' p1 ', '', 'NA', 'stranger'),
  age: fc.integer({ min: 0, max: 120 }),
});
const some = <T>(...items: T[]): fc.Arbitrary<'*' | T[]> =>
  fc.oneof(fc.constant('*' as const), fc.subarray(items, { minLength: 1 }));
const statement = fc.record({
  decision: fc.constantFrom('grant' as const, 'withdraw' as const),
  dataset: fc.constantFrom('*', 'visits', 'other'),
  purposes: some('HMB', 'GRU'),
  hospitals: some('north', 'south'),
  epoch: fc.constantFrom(undefined, '2026-09', '2026-10', '2026-11', '2026-12'),
});

describe('the rows of a cohort', () => {
  it('are those that a plain reading of random statements gives', { timeout: 240_000 }, async () => {
    let run = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(row, { minLength: 1, maxLength: 40 }),
        fc.uniqueArray(fc.nat(7), { maxLength: 8 }),
        fc.array(fc.array(statement, { maxLength: 5 }), { minLength: 8, maxLength: 8 }),
        fc.constantFrom('opt-in' as const, 'opt-out' as const, 'none' as const),
        fc.boolean(),
        async (rows, mapped, said, basis, parquet) => {
          const id = ++run;
          const csv = rows.map(({ person, age }) => `"${person}",${age}`).join('\n');
          const values = rows.map(({ person, age }) => `('${person.replaceAll("'", "''")}', ${age})`).join(', ');
          const file = parquet
            ? await writeParquet(folder, `r${id}.parquet`, `SELECT * FROM (VALUES ${values}) AS t(person, age)`)
            : writeText(folder, `r${id}.csv`, `person,age\n${csv}\n`);
          const lines = mapped.map((at) => `"${names[at]!}",${keyOf[at]!}`);
          const keys = writeText(folder, `k${id}.csv`, ['patient,key', ...lines].join('\n') + '\n');
          const patients = said.map((each, at): PatientRecord => ({
            patient: keyOf[at]!,
            consents: each.map(({ epoch, ...rest }, sequence): ConsentRecord => ({
              ...{ sequence: sequence + 1, ...rest },
              ...(epoch === undefined ? {} : { epoch }),
            })),
            accesses: [],
          }));
          const use = { dataset: 'visits', purpose: 'HMB', hospital: 'north', epoch: '2026-11' };
          const data = open({ file, consent: { patient: 'person', keys } });
          try {
            const consent = basis === 'none' ? undefined : { basis, decisions: () => consentsAt(patients, use) };
            const known = new Map(mapped.map((at) => [names[at]!, keyOf[at]!] as const));
            expect(await scan(data, schemaOf(basis), consent)).toEqual(plainly(rows, basis, known, patients, use));
          } finally {
            await data.close();
          }
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('a cohort', () => {
  const keys = writeText(folder, 'keys.csv', `patient,key\n17,${keyOf[0]!}\n18,${keyOf[1]!}\n`);
  const csv = writeText(folder, 'a.csv', 'mrn,age\n17,40\n18,50\n19,60\n,70\n');
  const unlisted: DatasetSchema = datasetSchema.parse({
    ...schemaOf('opt-in'),
    columns: schemaOf('opt-in').columns.filter(({ name }) => name === 'age'),
  });

  it('goes by a column of the files that the schema leaves out', async () => {
    const data = open({ file: csv, consent: { patient: 'mrn', keys } });
    expect(await scan(data, unlisted, { basis: 'opt-in', decisions: decided([0, 'grant']) })).toEqual([1, 40]);
    await data.close();
  });

  it.each(['BIGINT', 'INTEGER', 'VARCHAR', 'UTINYINT'])('finds patients in a column of %s', async (type) => {
    const file = await writeParquet(
      folder,
      `${type}.parquet`,
      `SELECT CAST(person AS ${type}) AS mrn, age FROM (VALUES (17, 40), (18, 50), (NULL, 70)) AS t(person, age)`,
    );
    const data = open({ file, consent: { patient: 'mrn', keys } });
    const optOut = { ...unlisted, consent: { basis: 'opt-out' as const } };
    expect(await scan(data, optOut, { basis: 'opt-out', decisions: decided([0, 'withdraw']) })).toEqual([1, 50]);
    await data.close();
  });

  it.each([
    ['fractions', `SELECT 17.0::DOUBLE AS mrn, 40 AS age`, /names patients by neither texts nor whole numbers/],
    ['nothing', `SELECT 17 AS id, 40 AS age`, /has no column mrn/],
  ])('is refused where the column holds %s', async (name, select, says) => {
    const data = open({
      file: await writeParquet(folder, `${name}.parquet`, select),
      consent: { patient: 'mrn', keys },
    });
    await expect(scan(data, unlisted, { basis: 'opt-in', decisions: decided() })).rejects.toMatchObject({
      ...{ kind: 'Fault', code: 'DATA' },
      message: expect.stringMatching(says) as string,
    });
    await data.close();
  });

  it('is refused by a column that the schema has as a number', async () => {
    const data = open({ file: csv, consent: { patient: 'age', keys } });
    await expect(scan(data, unlisted, { basis: 'opt-in', decisions: decided() })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
    });
    await data.close();
  });

  it('fails closed without a mapping, and without a basis', async () => {
    const basis = { basis: 'opt-in' as const, decisions: decided([0, 'grant']) };
    const without = open({ file: csv });
    await expect(scan(without, unlisted, basis)).rejects.toMatchObject({ kind: 'Refusal', code: 'POLICY' });
    await without.close();
    const data = open({ file: csv, consent: { patient: 'mrn', keys } });
    await expect(scan(data, unlisted, undefined)).rejects.toMatchObject({ kind: 'Refusal', code: 'POLICY' });
    await expect(scan(data, unlisted, { ...basis, basis: 'opt-out' })).rejects.toMatchObject({ code: 'POLICY' });
    await data.close();
  });

  it('follows the file of keys when it changes', async () => {
    const changing = writeText(folder, 'changing.csv', `patient,key\n17,${keyOf[0]!}\n`);
    const data = open({ file: csv, consent: { patient: 'mrn', keys: changing } });
    const basis = { basis: 'opt-in' as const, decisions: decided([0, 'grant'], [1, 'grant']) };
    expect(await scan(data, unlisted, basis)).toEqual([1, 40]);
    writeText(folder, 'changing.csv', `patient,key\n17,${keyOf[0]!}\n18,${keyOf[1]!}\n`);
    expect(await scan(data, unlisted, basis)).toEqual([2, 90]);
    writeText(folder, 'changing.csv', `patient,key\n17,${keyOf[0]!}\n18,nonsense\n`);
    await expect(scan(data, unlisted, basis)).rejects.toMatchObject({ code: 'DATA' });
    await data.close();
  });

  it('serves many purposes from one engine', async () => {
    const data = open({ file: csv, consent: { patient: 'mrn', keys } });
    const plan = planQuery(
      normalizeQuery(QUERY, () => unlisted),
      unlisted,
    );
    for (let at = 0; at < 30; at++) {
      const consent = {
        basis: 'opt-in' as const,
        purpose: `P${at}`,
        epoch: '2026-11',
        decisions: decided([at % 2, 'grant']),
      };
      expect((await data.scan(plan, unlisted, consent)).cells.at(plan.cells - 1)).toBe(at % 2 === 0 ? 40n : 50n);
    }
    await data.close();
  });

  it('leaves no patient in an error', async () => {
    const secret = SENTINELS[0];
    const file = writeText(folder, 'secret.csv', `mrn,age\n${secret},400\n`);
    const map = writeText(folder, 'secret-keys.csv', `patient,key\n${secret},${keyOf[0]!}\n`);
    const data = open({ file, consent: { patient: 'mrn', keys: map } });
    const error: unknown = await scan(data, unlisted, { basis: 'opt-in', decisions: decided([0, 'grant']) }).catch(
      (cause: unknown) => cause,
    );
    expect(error).toMatchObject({ code: 'DATA' });
    expect(inspect(error, { depth: 9 })).not.toMatch(new RegExp(`${secret}|${keyOf[0]!}`));
    await data.close();
  });
});
