import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { startCoordinator } from './index.ts';
import { HOSPITALS, World } from './testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.found();
});
afterEach(() => world.close());

const base = () => ({
  host: '127.0.0.1',
  port: 0,
  ledger: world.ownLedger,
  member: world.member('relay'),
  log: pino({ level: 'silent' }),
});

describe('starting', () => {
  it('says that a port is in use, and what to do', async () => {
    const port = Number(new URL(await world.start()).port);
    await expect(startCoordinator({ ...base(), port })).rejects.toMatchObject({
      kind: 'Fault',
      code: 'PORT_IN_USE',
      hint: expect.stringContaining('choose another port') as string,
    });
  });

  it.each([
    ['an address of another machine', () => ({ host: '192.0.2.1' })],
    ['a member that is no coordinator', () => ({ member: world.member('rita') })],
    ['a key that is not on the ledger', () => ({ member: { ...world.member('rita'), organisation: 'relay' } })],
    ['a limit of nothing', () => ({ limits: { backlog: 0 } })],
    ['TLS files that are none', () => ({ tls: { key: 'x', cert: 'y' } })],
  ])('refuses %s', async (_, change) => {
    await expect(startCoordinator({ ...base(), ...change() })).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });

  it('says that the ledger is down', async () => {
    const gone = Object.assign(Object.create(world.ownLedger) as typeof world.ownLedger, {
      refresh: () => Promise.reject(new Error('no')),
    });
    await expect(startCoordinator({ ...base(), ledger: gone })).rejects.toMatchObject({ code: 'LEDGER_DOWN' });
  });

  it('serves TLS: API and WebSocket', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'coordinator-tls-'));
    const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', [...make, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
    const url = await world.start({ tls: { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') } });
    rmSync(folder, { recursive: true });
    expect(url).toMatch(/^https:/);
    await world.connectAll(HOSPITALS);
    await world.session(await world.approved());
  });

  it('closes at once, with everything that is open', async () => {
    await world.start();
    const hospital = await world.connect('north');
    const query = await world.submit();
    const events = await fetch(`${world.url}/v1/queries/${query}/events`);
    const ended = events.text().catch(() => 'ended');
    const before = performance.now();
    await world.kill();
    expect(performance.now() - before).toBeLessThan(1000);
    await hospital.closed();
    await ended;
  });
});
