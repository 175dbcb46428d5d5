import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fabric, PATIENCE } from '../../ledger/fabric/testing/network.ts';
import { verifyExport } from '../../ledger/verify.ts';
import { checkDocument } from '../../protocol/canonical.ts';
import { ledgerExport } from '../../protocol/ledger.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { haveHeart, heartFile, makeFolder, removeFolder, runCommand, BIN } from '../end-to-end/world.ts';

const HOSPITALS = ['cleveland', 'hungarian', 'va'];
const QUERY = {
  dataset: 'heart',
  purpose: 'GRU',
  groupBy: [{ column: 'sex' }],
  statistics: [{ mean: { column: 'age' } }, { variance: { column: 'thalach' } }],
};

describe.skipIf(fabric === undefined || !haveHeart)('a consortium on Fabric', { timeout: PATIENCE }, () => {
  const folder = makeFolder('fabric-sandbox');
  const file = (run: string, name: string): string => join(folder, run, name);
  const read = (run: string, name: string): string => readFileSync(file(run, name), 'utf8');
  const healthchain = (...args: string[]) => runCommand(process.execPath, [BIN, ...args], PATIENCE / 1000);

  const sandbox = async (run: string, ...more: string[]): Promise<void> => {
    const hospitals = HOSPITALS.flatMap((site) => ['--hospital', `${site}=${heartFile(site)}`]);
    const query = ['--query', join(folder, 'query.json'), '--out', join(folder, run)];
    const { code, stderr } = await healthchain('sandbox', ...hospitals, ...query, ...more);
    expect(stderr.slice(-2000), run).toBe(code === 0 ? stderr.slice(-2000) : '');
  };

  beforeAll(async () => {
    writeFileSync(join(folder, 'query.json'), JSON.stringify(QUERY));
    await sandbox('embedded');
    await sandbox('fabric', '--ledger', 'fabric');
  }, 2 * PATIENCE);
  afterAll(() => removeFolder(folder));

  it('answers as on an embedded ledger', () => {
    const [onFabric, embedded] = ['fabric', 'embedded'].map(
      (run) => JSON.parse(read(run, 'result.json')) as { groups: unknown; hospitals: unknown },
    );
    expect(onFabric!.groups).toEqual(embedded!.groups);
    expect(onFabric!.hospitals).toEqual(embedded!.hospitals);
  });

  it('takes for a query one transaction to ask, two of each hospital, one to open, one for the receipt', async () => {
    const document = checkDocument(ledgerExport, JSON.parse(read('fabric', 'ledger.json')), { what: 'export' });
    const { entries } = await verifyExport(document);
    const types = entries.map(({ signed }) => signed.action.type);
    expect(types.slice(0, 3)).toEqual(['createConsortium', 'registerSchema', 'submitQuery']);
    const ofQuery = types.slice(2);
    expect(ofQuery).toHaveLength(1 + 2 * HOSPITALS.length + 1 + 1);
    expect(ofQuery.filter((type) => type === 'approveQuery')).toHaveLength(HOSPITALS.length);
    expect(ofQuery.filter((type) => type === 'recordCommitment')).toHaveLength(HOSPITALS.length);
    expect(ofQuery.at(-1)).toBe('recordReceipt');
  });

  const verify = (ledger: string) =>
    healthchain(
      ...['verify', file('fabric', 'receipt.json'), '--result', file('fabric', 'result.json'), '--ledger', ledger],
    );

  it('is verified from the files alone, and not after a digit was changed', async () => {
    expect(await verify(file('fabric', 'ledger.json'))).toMatchObject({ code: 0 });
    const changed = join(folder, 'changed.json');
    writeFileSync(changed, withDigitChanged(read('fabric', 'ledger.json'), 0.6));
    const { code, stderr } = await verify(changed);
    expect(code).toBe(1);
    expect(stderr).toContain('ledger: ');
  });

  it('is not verified whatever digit is changed', async () => {
    const [receipt, result, ledger] = ['receipt.json', 'result.json', 'ledger.json'].map((name) =>
      read('fabric', name),
    );
    const places = 60;
    for (let k = 0; k < places; k++) {
      const files = { receipt: receipt!, result: result!, ledger: withDigitChanged(ledger!, (k + 0.5) / places) };
      await expect(verifyAnswer(files), `at ${k} of ${places}`).rejects.toThrow(/^ledger: /);
    }
  });

  it('is not verified against the ledger of another consortium', async () => {
    const { code, stderr } = await verify(file('embedded', 'ledger.json'));
    expect(code).toBe(1);
    expect(stderr).toContain('receipt: ');
  });
});

/** Changes the first digit after this part of a text. */
function withDigitChanged(text: string, part: number): string {
  const at = text.slice(Math.floor(part * text.length)).search(/[0-9]/) + Math.floor(part * text.length);
  return text.slice(0, at) + String((Number(text[at]) + 1) % 10) + text.slice(at + 1);
}
