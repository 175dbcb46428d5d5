import { randomUUID } from 'node:crypto';
import { appendFileSync, chmodSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ENCOUNTERS_SCHEMA, generateEncounters } from '../../hospital/synthetic/index.ts';
import { Identity } from '../../protocol/identity.ts';
import { PROOF_HEADER, proveRequest } from '../../protocol/request.ts';
import {
  ask,
  cli,
  editConfig,
  expectNoStackTrace,
  expectOneClearLine,
  makeFolder,
  OPEN_RELEASE,
  removeFolder,
  runCommand,
  startConsortium,
  until,
  valuesOf,
  writeResearcherConfig,
  type Consortium,
  type Ran,
} from '../end-to-end/world.ts';

const [anna, bert] = ['anna', 'bert'] as const;
const good = {
  dataset: 'encounters',
  purpose: 'GRU',
  release: OPEN_RELEASE,
  statistics: [{ count: {} }],
};

describe('bad input', () => {
  const folder = makeFolder('bad-input');
  const home = join(folder, 'consortium');
  const config = (name: string): string => join(home, `${name}.json`);
  const data = new Map<string, string>();
  let consortium: Consortium;

  beforeAll(async () => {
    const { files } = await generateEncounters({ hospitals: 2, rows: 20, seed: 9, out: join(folder, 'data') });
    [anna, bert].forEach((name, i) => data.set(name, files[i]!));
    consortium = await startConsortium({
      folder: home,
      hospitals: [anna, bert].map((id) => ({ id, files: [data.get(id)!] })),
      schema: ENCOUNTERS_SCHEMA,
      deadlines: { approval: 5, join: 1, dropOut: 0.3, session: 10 },
    });
    writeResearcherConfig(home, anna);
  });
  afterAll(async () => {
    await consortium.stop();
    removeFolder(folder);
  });

  const readConfigOf = (name: string): Record<string, unknown> =>
    JSON.parse(readFileSync(config(name), 'utf8')) as Record<string, unknown>;
  const write = (name: string, document: object | string): string => {
    writeFileSync(config(name), typeof document === 'string' ? document : JSON.stringify(document));
    return config(name);
  };
  /** The command changes nothing on the ledger. */
  async function unrecorded(run: () => Promise<Ran>): Promise<Ran> {
    await consortium.ledger.refresh();
    const { size } = consortium.ledger.head();
    const ran = await run();
    await consortium.ledger.refresh();
    expect(consortium.ledger.head().size, ran.stderr).toBe(size);
    return ran;
  }
  const logOf = (name: string): string => readFileSync(join(home, 'logs', `${name}.log`), 'utf8');
  async function restart(name: string, change: () => void): Promise<void> {
    await consortium.processes.get(name)!.stop();
    change();
    await consortium.restart(name);
  }

  describe('a query', () => {
    const submit = (query: object | string, as = 'researcher'): Promise<Ran> =>
      unrecorded(() => cli('query', 'submit', '--config', config(as), '--query', write('query', query)));

    test.each<[string, object | string, RegExp]>([
      ['that is not JSON', '{"dataset": "encounters", ', /not JSON/],
      ['that is a list', '[]', /does not hold a query/],
      ['without statistics', { dataset: 'encounters', purpose: 'GRU' }, /statistics/],
      ['of an unknown dataset', { ...good, dataset: 'nothing' }, /nothing/],
      ['of an unknown column', { ...good, statistics: [{ mean: { column: 'blood' } }] }, /blood/],
      ['with a code that does not exist', { ...good, cohort: { column: 'sex', eq: 'W' } }, /sex|W/],
      ['with an unknown statistic', { ...good, statistics: [{ mode: { column: 'age' } }] }, /mode|statistics\.0/],
      ['with a key that nothing knows', { ...good, limit: 3 }, /limit/],
      ['of an identifier', { ...good, groupBy: [{ column: 'patient_id' }] }, /patient_id/],
    ])('%s', async (_, query, says) => {
      expectOneClearLine(await submit(query), 'BAD_QUERY', says);
    });

    test('file that is absent, or a folder', async () => {
      const from = (path: string): Promise<Ran> =>
        unrecorded(() => cli('query', 'submit', '--config', config('researcher'), '--query', path));
      expectOneClearLine(await from(join(folder, 'none.json')), 'BAD_FILE', /none\.json does not exist/);
      expectOneClearLine(await from(folder), 'BAD_FILE', /cannot be read/);
    });

    test('that the ledger does not hold is neither waited for nor decided on', async () => {
      const result = (id: string): Promise<Ran> =>
        unrecorded(() =>
          cli('query', 'result', id, '--config', config('researcher'), '--out', join(folder, 'no-answer')),
        );
      for (const id of ['', 'f00d', '0'.repeat(64)])
        expectOneClearLine(await result(id), 'UNKNOWN', /no query with this id/);
      const id = await consortium.researcher.submit(good);
      for (const short of ['', id.slice(0, 3), 'North'])
        expectOneClearLine(
          await cli('hospital', 'deny', short, '--config', config(anna), '--reason', 'slip'),
          'BAD_QUERY',
          /first 4 characters/,
        );
      await consortium.researcher.answer(id);
    });

    test('whose answer another machine is to open', async () => {
      const id = await consortium.researcher.submit(good);
      write('elsewhere', { ...readConfigOf('researcher'), stateFolder: 'elsewhere' });
      const ran = await cli('query', 'result', id, '--config', config('elsewhere'), '--out', join(folder, 'no-answer'));
      expectOneClearLine(ran, 'BAD_KEY', /the key of this answer is not here/);
      await consortium.researcher.answer(id);
    });

    test('under the key of somebody else', async () => {
      writeFileSync(join(home, 'other.pem'), Identity.generate().toPem(), { mode: 0o600 });
      write('other', { ...readConfigOf('researcher'), keyFile: 'other.pem' });
      expectOneClearLine(await submit(good, 'other'), 'Refusal', /key|signature/);
    });

    test('of a researcher whose clock is wrong is refused with what to do, and nothing is opened', async () => {
      const identity = Identity.fromPem(readFileSync(join(home, 'researcher.pem'), 'utf8'));
      const target = `/v1/sessions/${'0'.repeat(64)}/shares/${anna}?step=0`;
      for (const hours of [-1, 1]) {
        const request = { method: 'GET', target, body: new Uint8Array() };
        const proof = proveRequest({ organisation: 'researcher', identity }, request, Date.now() + 3_600_000 * hours);
        const response = await fetch(consortium.coordinatorUrl + target, { headers: { [PROOF_HEADER]: proof } });
        const refusal = await response.text();
        expect(response.ok).toBe(false);
        expect(JSON.parse(refusal)).toMatchObject({ kind: 'Refusal', code: 'REPLAY' });
        expect(refusal).toMatch(/Set the clock/);
      }
    });
  });

  describe('a configuration', () => {
    const start = (role: string, document: object | string): Promise<Ran> =>
      unrecorded(() => cli(role, 'start', '--config', write(`bad-${role}`, document)));

    test.each<[string, (role: string) => object | string, string, RegExp]>([
      ['that is not JSON', () => '{', 'BAD_CONFIG', /JSON/],
      ['with a key that is not known', (role) => ({ ...readConfigOf(role), colour: 'red' }), 'BAD_CONFIG', /colour/],
      ['without its key', (role) => ({ ...readConfigOf(role), keyFile: undefined }), 'BAD_CONFIG', /keyFile/],
      ['whose key file is absent', (role) => ({ ...readConfigOf(role), keyFile: 'none.pem' }), 'BAD_FILE', /none\.pem/],
      ['whose key file is no key', (role) => ({ ...readConfigOf(role), keyFile: config('policy') }), 'BAD_KEY', /key/i],
    ])('%s', async (_, make, code, says) => {
      for (const role of ['coordinator', anna])
        expectOneClearLine(await start(role === anna ? 'hospital' : role, make(role)), code, says);
    });

    test('of a hospital whose key is not the one on the ledger', async () => {
      const ran = await start('hospital', { ...readConfigOf(anna), keyFile: 'other.pem', stateFolder: 'other' });
      expectOneClearLine(ran, 'BAD_CONFIG', /key/);
    });

    test('with an address in use', async () => {
      const founding = 'founding.json';
      const port = Number(new URL(consortium.ledgerUrl).port);
      const ledger = await start('ledger', { folder: `ledger-${randomUUID()}`, port, foundingFile: founding });
      expectOneClearLine(ledger, 'PORT_IN_USE', new RegExp(String(port)));
      const taken = { ...readConfigOf('coordinator'), port, stateFolder: 'second' };
      expectOneClearLine(await start('coordinator', taken), 'PORT_IN_USE', new RegExp(String(port)));
    });

    test('of a second ledger in the folder of a running one', async () => {
      const ran = await start('ledger', { folder: 'ledger', port: 0 });
      expect(ran.code, ran.stderr).toBe(1);
      expect(ran.stderr).toMatch(/✗ \w+ [A-Z_]+: .+\n {2}.+/);
      expectNoStackTrace(ran.stderr);
    });

    test('that doctor cannot read, or for an organisation that cannot be', async () => {
      expectOneClearLine(await cli('doctor', '--config', write('bad', '{')), 'BAD_CONFIG', /JSON/);
      const revoke = ['keys', 'revoke', '--config', config('researcher'), '--key', 'zz', '--reason', 'x'];
      const ran = await unrecorded(() => cli(...revoke, '--organisation', 'NOT A NAME'));
      expectOneClearLine(ran, 'BAD_CONFIG', /--organisation/);
    });
  });

  describe('a hospital', () => {
    /** Asks both and waits for a named end. */
    async function endOf(query: object = good, seconds = 20): Promise<Ran> {
      const submitted = await cli(
        'query',
        'submit',
        '--config',
        config('researcher'),
        '--query',
        write('query', query),
      );
      const out = join(folder, 'never');
      const id = submitted.stdout.trim();
      return cli('query', 'result', id, '--config', config('researcher'), '--out', out, '--timeout', String(seconds));
    }
    const answers = async (): Promise<void> => {
      expect(valuesOf(await ask(consortium, good))['count']).toBe(40);
    };

    test('whose data file is gone ends the query with DATA, and answers when it is back', async () => {
      renameSync(data.get(anna)!, `${data.get(anna)!}.away`);
      const ended = await endOf();
      renameSync(`${data.get(anna)!}.away`, data.get(anna)!);
      expectOneClearLine(ended, 'DATA [anna]', /the query failed: DATA/);
      expect(logOf(anna)).toMatch(/hospital-1\.csv does not exist/);
      await answers();
    });

    test('whose file lacks a column of the schema, or holds a value that does not fit', async () => {
      const whole = readFileSync(data.get(bert)!, 'utf8');
      const byAge = { ...good, statistics: [{ mean: { column: 'age' } }] };
      writeFileSync(data.get(bert)!, whole.replace('age', 'years'));
      expectOneClearLine(await endOf(byAge), 'DATA [bert]', /log/);
      expect(logOf(bert)).toMatch(/has no column age/);
      expect((await cli('doctor', '--config', config(bert))).stderr).toMatch(
        /! data encounters: does not fit .*\n.*Where each column fails first:\n {4}age: .*hospital-2\.csv.* has no column age/,
      );
      const line = whole.split('\n')[1]!;
      writeFileSync(data.get(bert)!, whole.replace(line, line.replace(/^([^,]*),\d+/, '$1,1000')));
      expectOneClearLine(await endOf(byAge), 'DATA [bert]', /log/);
      expect(logOf(bert)).toMatch(/data row 1: age/);
      expect(logOf(bert)).not.toMatch(/1000/);
      const seen = await cli('doctor', '--config', config(bert));
      expect(seen.code).toBe(1);
      expect(seen.stderr).toMatch(
        /\n {4}age: hospital-2\.csv, data row 1: age lies outside the schema's minimum and maximum\n/,
      );
      expect(seen.stdout + seen.stderr).not.toMatch(/1000/);
      writeFileSync(data.get(bert)!, whole);
      await answers();
    });

    test('without a policy denies everything and says so', async () => {
      await restart(anna, () => editConfig(config(anna), (file) => delete file['policyFile']));
      expectOneClearLine(await endOf(), 'NOT_APPROVED', /anna: POLICY_MISSING/);
      await restart(anna, () => editConfig(config(anna), (file) => (file['policyFile'] = 'policy.json')));
      await answers();
    });

    test('whose journal is damaged does not start, and starts again with the journal that was kept', async () => {
      const journal = join(home, bert, 'journal.jsonl');
      await consortium.processes.get(bert)!.stop();
      const kept = readFileSync(journal, 'utf8');
      expect(kept.split('\n').length).toBeGreaterThan(1);
      writeFileSync(journal, kept.replace('opened', 'opened!'));
      const ran = await unrecorded(() => cli('hospital', 'start', '--config', config(bert)));
      expectOneClearLine(ran, 'DISK', /line 1 of the journal .* is damaged\n {2}Restore the file/);
      await expect(consortium.restart(bert)).rejects.toMatchObject({
        message: expect.stringMatching(/damaged/) as string,
      });
      // Half a line at the end is a crash before its share left: that is mended.
      writeFileSync(journal, kept);
      appendFileSync(journal, '{"opened":"12');
      await consortium.restart(bert);
      await answers();
      expect(readFileSync(journal, 'utf8').startsWith(kept)).toBe(true);
    });

    test('whose disk is full opens nothing, says DISK, and answers once there is space', async (context) => {
      const mount = join(folder, 'small');
      mkdirSync(mount);
      const mounted = await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=256k', 'tmpfs', mount]);
      if (mounted.code !== 0) return context.skip('this needs the right to mount a small file system');
      try {
        await restart(anna, () => editConfig(config(anna), (file) => (file['stateFolder'] = mount)));
        const filler = join(mount, 'filler');
        expect(() => {
          for (;;) appendFileSync(filler, Buffer.alloc(4096));
        }).toThrow(/ENOSPC/);
        const ended = await endOf(good, 5);
        expect(ended.code, ended.stderr).toBe(1);
        expectNoStackTrace(ended.stderr);
        expect(logOf(anna)).toMatch(/"code":"DISK"/);
        expectNoStackTrace(logOf(anna));
        rmSync(filler);
        expect(consortium.processes.get(anna)!.running).toBe(true);
        await answers();
        await restart(anna, () => editConfig(config(anna), (file) => (file['stateFolder'] = anna)));
      } finally {
        await runCommand('umount', ['-l', mount]);
      }
    });
  });

  test('files of hospitals that do not fit together make no sandbox', async () => {
    const other = join(folder, 'other.csv');
    writeFileSync(other, 'a,b\n1,2\n');
    const out = join(folder, 'sandbox');
    const args = ['sandbox', '--query', write('query', good), '--out', out];
    const ran = await cli(...args, '--hospital', `x=${data.get(anna)!}`, '--hospital', `y=${other}`);
    expect(ran.code, ran.stderr).toBe(1);
    expect(ran.stderr).toMatch(/✗ \w+ [A-Z_]+: .+/);
    expectNoStackTrace(ran.stderr);
    const absent = await cli(
      ...args,
      '--hospital',
      `x=${data.get(anna)!}`,
      '--hospital',
      `y=${join(folder, 'none.csv')}`,
    );
    expectOneClearLine(absent, 'BAD_FILE', /does not exist/);
  });

  test('a wrong command is shown how it is used, with exit code 2', async () => {
    const ran = await cli('query', 'submit');
    expect(ran.code).toBe(2);
    expectNoStackTrace(ran.stderr);
  });

  test('a full disk keeps no half of an answer', async (context) => {
    const mount = join(folder, 'tiny');
    mkdirSync(mount);
    const mounted = await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', mount]);
    if (mounted.code !== 0) return context.skip('this needs the right to mount a small file system');
    try {
      chmodSync(mount, 0o700);
      const out = join(mount, 'ledger.json');
      const ran = await cli('ledger', 'export', '--url', consortium.ledgerUrl, '--out', out);
      expectOneClearLine(ran, 'DISK', /cannot write .*ledger\.json/);
      await until('no half file', () => !readFileSyncOrNothing(out));
    } finally {
      await runCommand('umount', ['-l', mount]);
    }
  });
});

function readFileSyncOrNothing(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
