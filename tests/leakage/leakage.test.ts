import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { renderDocument } from '../../researcher/result/documents.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import {
  ask,
  cli,
  editConfig,
  makeFolder,
  removeFolder,
  OPEN_RELEASE,
  startConsortium,
  until,
  valuesOf,
  type Consortium,
} from '../end-to-end/world.ts';
import { found, tracesOfInt32, tracesOfKey, tracesOfNumber, tracesOfText, type Trace } from './sentinels.ts';
import { Tap } from './tap.ts';

const HOSPITALS = ['anna', 'bert', 'carl'] as const;
const [anna, bert, carl] = HOSPITALS;

const schema = datasetSchema.parse({
  dataset: 'visits',
  version: 1,
  columns: [
    { name: 'case_id', type: 'identifier' },
    { name: 'site', type: 'category', codes: ['A', 'B', 'ZZSENTINEL'] },
    { name: 'cost', type: 'number', decimals: 2, minimum: '0', maximum: '99999' },
    { name: 'weight', type: 'number', decimals: 1, minimum: '0', maximum: '500' },
  ],
});

// Anna's own numbers. The sums that open are those of three hospitals, and differ from all of these.
const ROW = ['ZZPATIENT-7731', 'ZZSENTINEL', '48261.73', '411.9'];
const BAD_CODE = 'ZZUNKNOWNCODE';
const OUT_OF_BOUNDS = '77345613.25';
const NO_NUMBER = 'ZZNOTANUMBER';
const header = 'case_id,site,cost,weight';

const secrets: Trace[] = [
  ...tracesOfText('ZZPATIENT-7731'),
  ...tracesOfText('ZZPATIENT'),
  ...tracesOfNumber(48261.73, 2),
  ...tracesOfNumber(411.9, 1).filter(({ of }) => !of.startsWith('4119')),
  ...tracesOfText(BAD_CODE),
  ...tracesOfText(NO_NUMBER),
  ...tracesOfText(OUT_OF_BOUNDS),
];
/** This code is in the public schema, so only where no schema is may it not occur. */
const code = tracesOfText('ZZSENTINEL');

const base = { dataset: 'visits', purpose: 'GRU', release: OPEN_RELEASE };
const queries = {
  plain: {
    ...base,
    statistics: [{ count: {} }, { sum: { column: 'cost' } }, { variance: { column: 'weight' } }],
  },
  grouped: { ...base, groupBy: [{ column: 'site' }], statistics: [{ count: {} }] },
};

describe('sentinels in a hospital’s records and keys', () => {
  const folder = makeFolder('leakage');
  const home = join(folder, 'consortium');
  const file = (name: string): string => join(folder, `${name}.csv`);
  const printed: string[] = [];
  let consortium: Consortium;
  let coordinatorTap: Tap;
  let ledgerTap: Tap;
  let relayed: Buffer;
  let recorded: Buffer;
  const keys: Trace[] = [];

  const fill = (name: string, rows: readonly string[]): void =>
    writeFileSync(file(name), [header, ...rows].join('\n') + '\n');

  async function restart(name: string, change: (config: Record<string, unknown>) => void): Promise<void> {
    await consortium.processes.get(name)!.stop();
    editConfig(join(home, `${name}.json`), change);
    await consortium.restart(name);
  }

  /** Asks with Anna's file as it stands; what goes wrong is kept as the researcher would see it. */
  async function askAnyway(query: object, ...expected: RegExp[]): Promise<void> {
    const id = await consortium.researcher.submit(query);
    const ended = await until('an end', () => {
      const record = consortium.ledger.query(id)!;
      return consortium.ledger.session(record.sessions[0] ?? '')?.abort;
    });
    printed.push(JSON.stringify(ended));
    const response = await fetch(new URL(`/v1/queries/${id}`, consortium.coordinatorUrl));
    printed.push(await response.text());
    const log = (): string => readFileSync(join(home, 'logs', `${anna}.log`), 'utf8');
    for (const each of expected) await until(String(each), () => each.test(log()));
  }

  beforeAll(async () => {
    fill(anna, [ROW.join(), ROW.join()]);
    fill(bert, ['b-1,A,10.00,70.5', 'b-2,B,20.00,80.5']);
    fill(carl, ['c-1,B,1.50,60.0']);
    consortium = await startConsortium({
      folder: home,
      hospitals: HOSPITALS.map((id) => ({ id, files: [file(id)] })),
      schema,
      deadlines: { approval: 5, join: 2, dropOut: 0.3, session: 10 },
    });
    coordinatorTap = await Tap.start(consortium.coordinatorUrl);
    ledgerTap = await Tap.start(consortium.ledgerUrl);
    await restart('coordinator', (config) => (config['logLevel'] = 'debug'));
    await Promise.all(
      HOSPITALS.map((name) =>
        restart(name, (config) => {
          config['logLevel'] = 'debug';
          config['coordinator'] = { url: coordinatorTap.url };
          config['ledger'] = { ...(config['ledger'] as object), url: ledgerTap.url };
        }),
      ),
    );
    for (const name of readdirSync(home).filter((each) => each.endsWith('.pem')))
      keys.push(...tracesOfKey(name, readFileSync(join(home, name), 'utf8')));

    const answer = await ask(consortium, queries.plain);
    expect(valuesOf(answer)).toMatchObject({ count: 5, 'sum(cost)': 96_554.96 });
    await ask(consortium, queries.grouped);

    fill(anna, [ROW.join(), ROW.with(1, BAD_CODE).join()]);
    await askAnyway(queries.grouped, /data row 2: site/);
    fill(anna, [ROW.join(), ROW.with(2, OUT_OF_BOUNDS).join()]);
    await askAnyway(queries.plain, /data row 2: cost/);
    fill(anna, [ROW.with(2, NO_NUMBER).join(), ROW.join()]);
    await askAnyway(queries.plain, /data row 1: cost/);
    // A record that is cut in the middle of a quoted field.
    fill(anna, [ROW.join(), `"ZZPATIENT-7731,"ZZSENTINEL,48261.73,411.9`]);
    await askAnyway(queries.plain, /DATA|BAD_FILE|INTERNAL/);

    const config = join(home, `${anna}.json`);
    for (const args of [
      ['doctor', '--config', config],
      ['hospital', 'pending', '--config', config],
      ['schema', 'infer', file(anna), '--dataset', 'visits', '--out', join(folder, 'inferred.json')],
    ]) {
      const ran = await cli(...args);
      printed.push(ran.stdout, ran.stderr);
    }

    // A crash in the middle of a session leaves the last words of whatever was in memory.
    fill(anna, [ROW.join(), ROW.join()]);
    const id = await consortium.researcher.submit(queries.plain);
    await until('a session', () => (consortium.ledger.query(id)?.sessions.length ?? 0) > 0);
    consortium.processes.get(anna)!.kill('SIGSEGV');
    const late = consortium.researcher.answer(id, { signal: AbortSignal.timeout(10_000) });
    await late.catch((error: unknown) => printed.push(JSON.stringify(error), String(error)));

    const ledger = renderDocument(await consortium.ledger.export());
    writeFileSync(join(folder, 'ledger.json'), ledger);
    await consortium.stop();
    [relayed, recorded] = await Promise.all([coordinatorTap.close(), ledgerTap.close()]);
  });
  afterAll(() => removeFolder(folder));

  test('would be found if they were there', () => {
    const row = Buffer.from(readFileSync(file(anna)));
    expect(found(secrets, row)).toEqual(expect.arrayContaining(['ZZPATIENT-7731 as ASCII', '48261.73 as ASCII']));
    const binary = Buffer.alloc(100);
    binary.writeDoubleBE(48261.73, 13);
    binary.writeBigInt64LE(4826173n, 50);
    const forms = ['big-endian float64', 'little-endian int64', 'little-endian scalar'];
    expect(found(secrets, binary)).toEqual(forms.map((form) => `48261.73 as ${form}`));
    const encoded = Buffer.from(`xy${ROW.join()}`).toString('base64');
    expect(found(secrets, encoded)).toContain('ZZPATIENT-7731 as base64');
    expect(relayed.length).toBeGreaterThan(10_000);
    expect(recorded.includes('ZZSENTINEL')).toBe(true);
  });

  test.each(['ledger', 'coordinator', ...HOSPITALS])('are in no log line of %s', (name) => {
    const log = readFileSync(join(home, 'logs', `${name}.log`), 'utf8');
    expect(log.length).toBeGreaterThan(name === 'ledger' ? 50 : 1000);
    expect(found([...secrets, ...code, ...keys], log)).toEqual([]);
    expect(log).not.toMatch(/\n\s+at /);
  });

  test('are in no error text, nor in what the commands print', () => {
    const text = printed.join('\n');
    expect(text).toContain('DATA');
    expect(found([...secrets, ...keys], text)).toEqual([]);
  });

  test('are in no entry of the ledger', () => {
    const text = readFileSync(join(folder, 'ledger.json'), 'utf8');
    expect(text.length).toBeGreaterThan(5000);
    expect(found([...secrets, ...keys], text)).toEqual([]);
  });

  test('are in no byte between a hospital and the coordinator', () => {
    expect(found([...secrets, ...code, ...keys, ...tracesOfInt32(48261.73, 2)], relayed)).toEqual([]);
  });

  test('are in no byte between a hospital and the ledger', () => {
    expect(found([...secrets, ...keys], recorded)).toEqual([]);
  });

  test('are in no file of the state folders but the identity keys', () => {
    for (const name of HOSPITALS)
      for (const entry of readdirSync(join(home, name), { recursive: true, withFileTypes: true }))
        if (entry.isFile())
          expect(found([...secrets, ...keys], readFileSync(join(entry.parentPath, entry.name)))).toEqual([]);
  });
});
