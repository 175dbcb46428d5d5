import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RemoteLedger, startLedgerServer, type LedgerServer } from '../../ledger/index.ts';
import { actions, ASKED, makeWorld, ruledSchema, type MemberName } from '../../ledger/testing/world.ts';
import type { Action, Tier } from '../../protocol/ledger.ts';
import { cli, expectOneClearLine, makeFolder, monthsAgo, removeFolder } from './world.ts';

const THIS = monthsAgo(0);

/** A consortium with a ledger for each tier, its members' configurations, and one completed query. */
describe('consent, access and oversight from the command line', () => {
  const folder = makeFolder('patients');
  const at = (name: string): string => join(folder, name);
  const world = makeWorld();
  const servers: LedgerServer[] = [];
  let ledger: RemoteLedger;
  let open: RemoteLedger;
  let query: string;
  let patient: string;
  const config = (who: MemberName): string => at(`${who}.json`);
  const act = (who: MemberName, action: Action) => ledger.submit(world.members[who], action);

  async function start(tier: Tier): Promise<RemoteLedger> {
    const { founding } = makeWorld(tier, world.members);
    const server = await startLedgerServer({
      ...{ folder: at(tier), host: '127.0.0.1', port: 0, founding, clock: () => Date.UTC(2026, 11, 5) },
    });
    servers.push(server);
    return RemoteLedger.connect({ url: server.url });
  }

  beforeAll(async () => {
    ledger = await start('consortium');
    open = await start('public');
    for (const who of ['rita', 'audit', 'relay', 'north'] as const) {
      writeFileSync(at(`${who}.pem`), world.members[who].identity.toPem(), { mode: 0o600 });
      const member = { organisation: who, keyFile: `${who}.pem`, stateFolder: `state-${who}` };
      const [consortiumUrl, publicUrl] = servers.map(({ url }) => url);
      const ledgers = { ledger: { url: consortiumUrl }, publicLedger: { url: publicUrl } };
      writeFileSync(config(who), JSON.stringify({ ...member, ...ledgers }));
    }
    await act('board', { type: 'registerSchema', schema: ruledSchema() });
    query = (await act('rita', actions.submit({ consentEpoch: '2026-12' }))).id;
    for (const each of ASKED) await act(each as MemberName, actions.approve(query));
    const session = (await act('relay', actions.open(query))).id;
    for (const each of ASKED) {
      const commitment = { step: 0, commitment: '9'.repeat(64), consentEpoch: '2026-12' };
      await act(each as MemberName, { type: 'recordCommitment', session, ...commitment });
    }
    await act('rita', actions.receipt(session));
  });
  afterAll(async () => {
    await ledger.close();
    await open.close();
    for (const server of servers) await server.close();
    removeFolder(folder);
  });

  it('makes a patient’s key, once', async () => {
    const made = await cli('consent', 'key', '--out', at('patient.pem'));
    patient = made.stdout.trim();
    expect(patient).toMatch(/^[0-9a-f]{64}$/);
    expectOneClearLine(await cli('consent', 'key', '--out', at('patient.pem')), 'BAD_FILE', /exists already/);
  });

  it('signs consent to a file, which any member records on the public ledger, once', async () => {
    const key = ['--key', at('patient.pem')];
    const unnamed = await cli('consent', 'grant', ...key);
    expectOneClearLine(unnamed, 'BAD_CONFIG', /--config .* --out/);
    const use = ['--dataset', 'heart', '--purpose', 'GRU', '--hospital', 'north', '--hospital', 'south'];
    const to = ['--out', at('statement.json'), '--consortium', open.consortium];
    const signed = await cli('consent', 'grant', ...key, ...use, ...to);
    expect(signed.code, signed.stderr).toBe(0);
    expect(readFileSync(at('statement.json'), 'utf8')).not.toContain('PRIVATE');
    const relayed = await cli('consent', 'relay', at('statement.json'), '--config', config('relay'));
    expect(relayed.code, relayed.stderr).toBe(0);
    const again = await cli('consent', 'relay', at('statement.json'), '--config', config('north'));
    expectOneClearLine(again, 'ALREADY_DONE', /sequence/);
    const changed = readFileSync(at('statement.json'), 'utf8').replace('"GRU"', '"DS"');
    writeFileSync(at('forged.json'), changed);
    const forged = await cli('consent', 'relay', at('forged.json'), '--config', config('relay'));
    expectOneClearLine(forged, 'BAD_SIGNATURE', /patient/);
  });

  it('opens an epoch; a later withdrawal counts from the next', async () => {
    const opened = await cli('ledger', 'open-epoch', '--config', config('audit'), '--period', THIS);
    expect(opened.code, opened.stderr).toBe(0);
    const withdrawn = await cli('consent', 'withdraw', '--key', at('patient.pem'), '--config', config('relay'));
    expect(withdrawn.code, withdrawn.stderr).toBe(0);
    const shown = await cli('consent', 'show', '--patient', patient, '--config', config('north'));
    expect(shown.stdout.trim().split('\n')).toEqual([
      'grant: heart, GRU, north, south; from the first epoch',
      `withdraw: all datasets, all purposes, all hospitals; from epochs after ${THIS}`,
    ]);
    const use = ['--dataset', 'heart', '--purpose', 'GRU', '--hospital', 'north'];
    for (const [epoch, decision] of [
      [THIS, 'grant'],
      [monthsAgo(-1), 'withdraw'],
    ] as const) {
      const of = ['--patient', patient, '--config', config('north'), '--epoch', epoch];
      expect((await cli('consent', 'show', ...of, ...use)).stdout.trim()).toBe(decision);
    }
    const early = await cli('ledger', 'open-epoch', '--config', config('audit'), '--period', monthsAgo(1));
    expectOneClearLine(early, 'STALE', new RegExp(THIS));
  });

  it('opens no epoch ahead of the clock, and takes back one that another program opened', async () => {
    const ahead = await cli('ledger', 'open-epoch', '--config', config('audit'), '--period', '2099-12');
    expectOneClearLine(ahead, 'BAD_CONFIG', /2099-12 lies ahead/);
    await open.submit(world.members.audit, actions.epoch('2099-12'));
    const show = ['consent', 'show', '--patient', patient, '--config', config('north')];
    const withdraw = (who: MemberName, period: string) => {
      const of = ['--config', config(who), '--period', period, '--reason', 'slip of the pen'];
      return cli('ledger', 'withdraw-epoch', ...of);
    };
    expectOneClearLine(await withdraw('rita', '2099-12'), 'NOT_AUTHORIZED', /rita/);
    expectOneClearLine(await withdraw('audit', THIS), 'STALE', /2099-12 is the newest/);
    const done = await withdraw('audit', '2099-12');
    expect(done, done.stderr).toMatchObject({ code: 0 });
    expect(done.stdout + done.stderr).toContain(`that of ${THIS} is the newest again`);
    const use = ['--dataset', 'heart', '--purpose', 'GRU', '--hospital', 'north'];
    expectOneClearLine(await cli(...show, '--epoch', '2099-12', ...use), 'BAD_CONFIG', /2099-12 was withdrawn/);
    expect((await cli(...show)).stdout).toContain(`from epochs after ${THIS}`);
  });

  it('grants a doctor access until a day, checks it, and revokes it', async () => {
    const whom = ['--doctor', 'd'.repeat(64), '--hospital', 'north'];
    const key = ['--key', at('patient.pem'), '--config', config('relay')];
    const granted = await cli('access', 'grant', ...key, ...whom, '--until', '2026-12-31');
    expect(granted.code, granted.stderr).toBe(0);
    const check = (time: string) =>
      cli('access', 'check', '--patient', patient, ...whom, '--config', config('north'), '--at', time);
    expect(await check('2026-12-31T20:00:00Z')).toMatchObject({ code: 0, stdout: 'granted\n' });
    expect(await check('2027-01-01T00:00:00Z')).toMatchObject({ code: 1, stdout: 'not granted\n' });
    await cli('access', 'revoke', ...key, ...whom);
    const revoked = await check('2026-12-31T20:00:00Z');
    expect(revoked).toMatchObject({ code: 1, stdout: 'not granted\n' });
    expect(revoked.stderr).toContain('revoked');
  });

  it('suspends and reinstates, on either ledger', async () => {
    const reason = ['--reason', 'an inquiry'];
    const audit = ['--config', config('audit')];
    const stop = await cli('ledger', 'suspend', ...audit, '--organisation', 'rita', '--public', ...reason);
    expect(stop.code, stop.stderr).toBe(0);
    await open.refresh();
    expect(open.organisation('rita')?.suspended).toEqual({ by: 'audit', reason: 'an inquiry' });
    expect(ledger.organisation('rita')?.suspended).toBeUndefined();
    const relayed = await cli('consent', 'relay', at('statement.json'), '--config', config('rita'));
    expectOneClearLine(relayed, 'SUSPENDED', /suspended by audit/);
    await cli('ledger', 'reinstate', ...audit, '--organisation', 'rita', '--public', ...reason);
    await cli('ledger', 'suspend', ...audit, '--query', query, ...reason);
    await cli('ledger', 'reinstate', ...audit, '--query', query, ...reason);
    expectOneClearLine(await cli('ledger', 'suspend', ...audit, ...reason), 'BAD_CONFIG', /--organisation or --query/);
  });

  it('publishes a result on the public ledger', async () => {
    writeFileSync(at('result.json'), '{}');
    const of = ['--config', config('rita'), '--query', query, '--result', at('result.json'), '--title', 'Mean age'];
    const published = await cli('ledger', 'publish', ...of);
    expect(published.code, published.stderr).toBe(0);
    await open.refresh();
    expect(open.publications()).toMatchObject([{ researcher: 'rita', ledger: ledger.consortium, title: 'Mean age' }]);
  });

  it('traces a query, a dataset, a hospital and a researcher, at a member and offline', async () => {
    const file = at('ledger.json');
    await cli('ledger', 'export', '--url', servers[0]!.url, '--out', file);
    const offline = await cli('ledger', 'trace', '--query', query, '--ledger', file, '--json');
    const steps = JSON.parse(offline.stdout) as { by: string; action: string }[];
    expect(steps.map(({ action }) => action)).toEqual([
      'submitQuery',
      ...ASKED.map(() => 'approveQuery'),
      'openSession',
      ...ASKED.map(() => 'recordCommitment'),
      'recordReceipt',
      'suspend',
      'reinstate',
    ]);
    const online = await cli('ledger', 'trace', '--query', query, '--config', config('audit'), '--json');
    expect(JSON.parse(online.stdout)).toEqual(steps);
    for (const subject of [
      ['--dataset', 'heart'],
      ['--hospital', 'north'],
      ['--researcher', 'rita'],
    ]) {
      const shown = await cli('ledger', 'trace', ...subject, '--ledger', file);
      expect(shown.stdout).toContain('recorded the final receipt of step 0');
    }
    const of = ['--patient', patient, '--ledger', file];
    expect((await cli('consent', 'show', ...of)).stderr).toContain('said nothing on this ledger');
    expectOneClearLine(await cli('ledger', 'trace', '--ledger', file), 'BAD_CONFIG', /--query, --dataset/);
    expectOneClearLine(await cli('ledger', 'trace', '--query', query), 'BAD_CONFIG', /--config or --ledger/);
    // As large as with the statements of a hundred thousand patients.
    const whole = readFileSync(file, 'utf8');
    writeFileSync(file, ' '.repeat(128 << 20) + whole);
    const large = await cli('ledger', 'trace', '--query', query, '--ledger', file, '--json');
    expect(JSON.parse(large.stdout)).toEqual(steps);
    writeFileSync(file, whole.replace('an inquiry', 'no inquiry'));
    const forged = await cli('ledger', 'trace', '--query', query, '--ledger', file);
    expectOneClearLine(forged, 'FORGED_LEDGER', /entry \d+/);
  });

  it('shows the credits of each hospital by month', async () => {
    const credits = await cli('ledger', 'credits', '--config', config('north'), '--json');
    const totals = JSON.parse(credits.stdout) as { hospital: string; amount: string; period: string }[];
    expect(totals.map(({ hospital, period }) => `${hospital} ${period}`)).toEqual(
      ASKED.map((each) => `${each} 2026-12`),
    );
    expect(totals.reduce((sum, { amount }) => sum + BigInt(amount), 0n)).toBe(100n);
    const one = await cli(
      'ledger',
      'credits',
      '--config',
      config('north'),
      '--hospital',
      'north',
      '--period',
      '2026-12',
    );
    expect(one.stdout).toMatch(/north .*heart .*2026-12 .*1 .*3[34]/);
    const none = await cli('ledger', 'credits', '--config', config('north'), '--period', '2026-11');
    expect(none.stderr).toContain('Nothing was credited');
  });
}, 300_000);
