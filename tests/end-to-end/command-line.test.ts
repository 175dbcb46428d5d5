import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { EXAMPLE_QUERY, generateEncounters } from '../../hospital/synthetic/index.ts';
import { VerificationError } from '../../researcher/result/checks.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { bundleCheckout } from '../../scripts/bundle.ts';
import { cli, expectNoStackTrace, makeFolder, removeFolder, ROOT, runCommand, type Ran } from './world.ts';

const CHECKS = ['ledger', 'receipt', 'authorization', 'decision', 'record', 'commitments', 'result'];
const FILES = ['receipt', 'ledger', 'result'] as const;
type Files = Record<(typeof FILES)[number], string>;

describe('the command line', () => {
  const folder = makeFolder('command-line');
  const out = join(folder, 'out');
  const path = (name: string, at = out): string => join(at, `${name}.json`);
  let ran: Ran;
  let files: Files;

  beforeAll(async () => {
    const data = join(folder, 'data');
    const generated = await generateEncounters({ hospitals: 3, rows: 200, seed: 7, out: data });
    const query = join(folder, 'query.json');
    writeFileSync(query, JSON.stringify({ ...EXAMPLE_QUERY, cohort: { column: 'age', gte: 40 } }));
    const hospitals = generated.files.flatMap((file, i) => ['--hospital', `house-${i}=${file}`]);
    ran = await cli('sandbox', ...hospitals, '--schema', generated.schema, '--query', query, '--out', out);
    files = Object.fromEntries(FILES.map((name) => [name, readFileSync(path(name), 'utf8')])) as Files;
  });
  afterAll(() => removeFolder(folder));

  const verifyIn = (at: string): Promise<Ran> =>
    cli('verify', path('receipt', at), '--result', path('result', at), '--ledger', path('ledger', at));

  test('sandbox answers, exits with 0 and leaves five files', () => {
    expect(ran.code, ran.stderr).toBe(0);
    expect(readdirSync(out).sort()).toEqual([
      'ledger.json',
      'receipt.json',
      'result.arrow',
      'result.csv',
      'result.json',
    ]);
    expect(ran.stdout).toContain('systolic');
  });

  test('verify exits with 0 and says what it proved', async () => {
    const verified = await verifyIn(out);
    expect(verified.code, verified.stderr).toBe(0);
    for (const check of CHECKS.filter((each) => each !== 'receipt')) expect(verified.stderr).toContain(`✓ ${check}:`);
  });

  /** The file with the digit at the k-th place that holds one replaced by another. */
  function otherDigit(text: string, k: number, by: number): string {
    const places = [...text.matchAll(/[0-9]/g)].map((match) => match.index);
    const place = places[k % places.length]!;
    const digit = String((Number(text[place]) + by) % 10);
    return text.slice(0, place) + digit + text.slice(place + 1);
  }

  test.each(FILES)('one other digit anywhere in %s.json fails a check that is named', async (name) => {
    await verifyAnswer(files);
    await fc.assert(
      fc.asyncProperty(fc.nat(1_000_000), fc.integer({ min: 1, max: 9 }), async (k, by) => {
        const changed = { ...files, [name]: otherDigit(files[name], k, by) };
        const error = await verifyAnswer(changed).then(
          () => undefined,
          (each: unknown) => each,
        );
        expect(error).toBeInstanceOf(VerificationError);
        expect(CHECKS).toContain((error as VerificationError).check);
      }),
      { numRuns: 48 },
    );
  });

  test.each(FILES)('verify as a process exits with 1 for another digit in %s.json', async (name) => {
    const at = join(folder, `changed-${name}`);
    mkdirSync(at);
    for (const each of FILES) writeFileSync(path(each, at), files[each]);
    writeFileSync(path(name, at), otherDigit(files[name], 137, 3));
    const refused = await verifyIn(at);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(new RegExp(`✗ check failed: (${CHECKS.join('|')}): .{10,}`));
    expectNoStackTrace(refused.stderr);
  });

  const from = (module: string, asked: readonly string[]): Promise<Ran> => {
    const program = `(await import(${JSON.stringify(join(ROOT, module))})).main(['', '', ...process.argv.slice(1)])`;
    return runCommand(process.execPath, ['--input-type=module', '-e', program, ...asked]);
  };

  test('the command line from its bundle does what the sources do', async () => {
    await bundleCheckout();
    const data = join(folder, 'data.csv');
    writeFileSync(data, 'age,sex\n63,F\n70.5,M\n');
    for (const asked of [
      ['--help'],
      ['hospital', 'start', '--help'],
      ['schema', 'infer', data],
      ['schema', 'infer', join(folder, 'no.csv')],
      ['doctor', '--config', data],
      ['coordinator', 'start', '--config', join(folder, 'no.json')],
    ]) {
      expect(await from('bundle/main/main.js', asked)).toEqual(await from('cli/main.ts', asked));
    }
  });

  test('verify from its bundle says, on right and wrong files, what the sources say', async () => {
    await bundleCheckout();
    const wrong = path('receipt', join(folder, 'changed-receipt'));
    for (const receipt of [path('receipt'), wrong, join(folder, 'nothing')]) {
      const asked = ['verify', receipt, '--result', path('result'), '--ledger', path('ledger')];
      const [bundled, sources] = [await from('bundle/verify/verify.js', asked), await from('cli/main.ts', asked)];
      expect(sources.code).toBe(receipt === path('receipt') ? 0 : 1);
      expect(bundled).toEqual(sources);
      expect(await cli(...asked)).toEqual(sources);
    }
  });

  const write = (name: string, document: object): string => {
    writeFileSync(join(folder, name), JSON.stringify(document));
    return join(folder, name);
  };

  /** Files with one row each; the sandbox asks of them what `query` says. */
  async function ask(rows: readonly string[], query: object, ...more: string[]): Promise<Ran> {
    const hospitals = rows.flatMap((row, i) => {
      const file = join(folder, `site-${i}.csv`);
      writeFileSync(file, `age;HbA1c (%)\n${row}\n`);
      return ['--hospital', `house-${i}=${file}`];
    });
    const release = { minimumCell: 1, insiderRule: false };
    return cli(
      ...['sandbox', ...hospitals, '--out', join(folder, 'sites')],
      ...['--query', write('sites-query.json', { dataset: 'sites', purpose: 'GRU', release, ...query })],
      ...['--policy', write('sites-policy.json', { release }), ...more],
    );
  }
  const mean = { statistics: [{ mean: { column: 'HbA1c' } }] };

  test('sandbox reads files by a mapping, and says what it calls a column', async () => {
    const mapping = join(folder, 'mapping.json');
    writeFileSync(mapping, JSON.stringify({ decimalComma: true, missing: ['', '-9'] }));
    const asked = await ask(['40;5,5', '-9,0;6,1', '63;-9'], mean, '--mapping', mapping);
    expect(asked.code, asked.stderr).toBe(0);
    expect(asked.stderr).toContain('! column HbA1c (%) is called HbA1c\n');
    const result = JSON.parse(readFileSync(join(folder, 'sites', 'result.json'), 'utf8')) as { groups: object[] };
    expect(result.groups).toMatchObject([{ values: { 'n(HbA1c)': 2, 'mean(HbA1c)': 5.8 } }]);
  });

  test('sandbox names the row that does not fit, for the logs of its hospitals are gone', async () => {
    const columns = [{ name: 'HbA1c', type: 'number', decimals: 1, minimum: '2', maximum: '20' }];
    const schema = join(folder, 'sites-schema.json');
    writeFileSync(schema, JSON.stringify({ dataset: 'sites', version: 1, columns }));
    const asked = await ask(['40;5.5', '63;6.1', '70;61'], mean, '--schema', schema);
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain(
      "✗ Fault DATA [house-2]: site-2.csv, data row 1: HbA1c lies outside the schema's minimum and maximum\n",
    );
  });

  test('sandbox says that hospitals are too few, or deny a query, before it starts anything', async () => {
    const asked = async (rows: readonly string[], query: object): Promise<string> => {
      const { code, stderr } = await ask(rows, { ...mean, ...query });
      expect(code).toBe(1);
      expect(stderr).not.toContain('ledger at');
      return stderr;
    };
    expect(await asked(['40;5.5', '63;6.1'], {})).toContain(
      '✗ Refusal POLICY: the query asks for at least 3 hospitals in an answer, and here are 2\n',
    );
    const two = { minimumCell: 1, insiderRule: false, minimumHospitals: 2 };
    const strict = ['--policy', write('strict-policy.json', { release: { ...two, minimumCell: 5 } })];
    const denied = await ask(['40;5.5', '63;6.1'], { ...mean, release: two }, ...strict);
    expect(denied.stderr).toMatch(/✗ Refusal POLICY: the site policy denies this query: release\.minimumCell: .*5/);
    expect(denied.stderr).not.toContain('ledger at');
    const four = ['--policy', write('four-policy.json', { release: { ...two, minimumHospitals: 4 } })];
    const few = await ask(['40;5.5', '63;6.1'], { ...mean, release: two }, ...four);
    expect(few.stderr).toContain('the site policy requires at least 4 hospitals in an answer, and here are 2\n');
  });

  test('sandbox refuses a query of another dataset before it starts anything', async () => {
    const asked = await ask(['1;2', '1;2', '1;2'], { dataset: 'heart@2', statistics: [{ count: {} }] });
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain('dataset: the query asks of heart@2, and the schema is of heart@1');
    expect(asked.stderr).not.toContain('ledger at');
  });
});
