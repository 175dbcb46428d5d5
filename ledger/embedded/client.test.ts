import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import { keyFingerprint } from '../../protocol/identity.ts';
import { temporaryFolder, testClient, testServer, CLOCK } from '../testing/folder.ts';
import { actions, hex } from '../testing/world.ts';
import { startLedgerServer } from './server.ts';
import type { Fetch } from './transport.ts';

/** A fetch that a test can break: `before` may answer or fail in the server's stead, `after` may lose the answer. */
class Line {
  url: string;
  before: (path: string) => Response | undefined | Promise<Response | undefined> = () => undefined;
  after: (path: string) => void = () => undefined;
  constructor(url: string) {
    this.url = url;
  }
  readonly fetch: Fetch = async (input, init) => {
    const { pathname, search } = new URL(input);
    const instead = await this.before(pathname);
    if (instead !== undefined) return instead;
    const answer = await fetch(`${this.url}${pathname}${search}`, init);
    this.after(pathname);
    return answer;
  };
}
const cut = (): never => {
  throw new TypeError('fetch failed');
};

describe('a client', () => {
  it('pins: another consortium or operator is a forged ledger', async () => {
    const { server } = await testServer();
    const forged = { name: 'Abort', code: 'FORGED_LEDGER' };
    await expect(testClient(server.url, { consortium: hex(1) })).rejects.toMatchObject(forged);
    await expect(testClient(server.url, { operator: Identity.generate().publicKey })).rejects.toMatchObject(forged);
    const ledger = await testClient(server.url);
    expect(ledger.consortium).toBe(server.consortium);
    expect(keyFingerprint(ledger.head().publicKey)).toBe(keyFingerprint(server.operatorPublicKey));
  });

  it('gives up with LEDGER_DOWN after its deadline', async () => {
    const { server, world } = await testServer();
    const line = new Line(server.url);
    const ledger = await testClient(server.url, { fetch: line.fetch, deadlineMs: 300 });
    line.before = cut;
    const down = { name: 'Fault', code: 'LEDGER_DOWN' };
    await expect(ledger.refresh()).rejects.toMatchObject(down);
    await expect(ledger.submit(world.members.board, actions.schema())).rejects.toMatchObject(down);
    line.before = () => new Response('<html>Welcome to the hotel</html>', { status: 200 });
    await expect(ledger.refresh()).rejects.toMatchObject(down);
    line.before = () => new Response('bad gateway', { status: 502 });
    await expect(ledger.refresh()).rejects.toMatchObject(down);
    line.before = () => undefined;
    await ledger.submit(world.members.board, actions.schema());
  });

  it('submits once although answers are lost', async () => {
    const { server, world } = await testServer();
    const line = new Line(server.url);
    const ledger = await testClient(server.url, { fetch: line.fetch });
    let lost = 0;
    line.after = (path) => {
      if (path === '/v1/actions' && lost++ < 2) cut();
    };
    const { index } = await ledger.submit(world.members.board, actions.schema());
    expect(lost).toBe(3);
    expect(index).toBe(1);
    expect(ledger.head().size).toBe(2);
    await expect(ledger.submit(world.members.board, actions.schema())).rejects.toMatchObject({ code: 'ALREADY_DONE' });
  });

  it('follows without asking, through a restart of the server', async () => {
    const { server, folder, world } = await testServer();
    const line = new Line(server.url);
    const reader = await testClient(server.url, { fetch: line.fetch });
    const first = await testClient(server.url);
    await first.submit(world.members.board, actions.schema());
    await until(() => reader.schema('heart@1') !== undefined);
    await server.close();
    const again = await startLedgerServer({ folder, host: '127.0.0.1', port: 0, clock: CLOCK });
    line.url = again.url;
    const second = await testClient(again.url);
    await second.submit(world.members.board, actions.schema(2));
    await until(() => reader.schema('heart@2') !== undefined);
    expect(reader.schemas('heart').map(({ version }) => version)).toEqual([1, 2]);
    await again.close();
  });

  it('is of no use once closed, and says so', async () => {
    const { server } = await testServer();
    const ledger = await testClient(server.url);
    await ledger.close();
    await expect(ledger.refresh()).rejects.toMatchObject({ name: 'Misuse', code: 'OUT_OF_ORDER' });
  });

  it('refuses a URL that is none', async () => {
    await expect(testClient('ledger.example')).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    await expect(testClient('file:///etc/passwd')).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });
});

/** Two servers with one operator key whose pasts part after `common` further entries. */
async function forkedServers(common: number) {
  const { server, folder, world } = await testServer();
  const honest = await testClient(server.url);
  for (let i = 0; i < common; i++) await honest.submit(world.members.board, actions.register(`common-${i}`));
  const copy = await temporaryFolder();
  for (const file of ['entries.jsonl', 'operator.pem']) await cp(join(folder, file), join(copy, file));
  const fork = await testServer({ folder: copy, founding: undefined });
  const liar = await testClient(fork.server.url);
  return { server, fork: fork.server, world, honest, liar };
}

describe('a ledger that forks', () => {
  it.each([
    ['shorter', 1],
    ['as long', 2],
    ['longer', 3],
  ])('into a branch %s is caught, for good', async (_name, entries) => {
    const { server, fork, world, honest, liar } = await forkedServers(3);
    for (const name of ['x', 'y']) await honest.submit(world.members.board, actions.register(name));
    for (const name of ['p', 'q', 'r'].slice(0, entries)) {
      await liar.submit(world.members.board, actions.register(name));
    }
    const line = new Line(server.url);
    const victim = await testClient(server.url, { fetch: line.fetch });
    const before = victim.head();
    line.url = fork.url;
    const forked = { name: 'Abort', code: 'LEDGER_FORK' };
    await expect(victim.refresh()).rejects.toMatchObject(forked);
    expect(victim.head()).toEqual(before);
    line.url = server.url;
    await expect(victim.refresh()).rejects.toMatchObject(forked);
    await expect(victim.submit(world.members.board, actions.schema())).rejects.toMatchObject(forked);
    const reading = victim.entries(before.size, new AbortController().signal)[Symbol.asyncIterator]().next();
    await expect(reading).rejects.toMatchObject(forked);
  });

  it('is caught by the checkpoint of an earlier run', async () => {
    const { server, fork, world, honest, liar } = await forkedServers(2);
    await honest.submit(world.members.board, actions.register('x'));
    const checkpoint = join(await temporaryFolder(), 'checkpoint.json');
    await (await testClient(server.url, { checkpoint })).close();
    const kept = await readFile(checkpoint, 'utf8');

    const forked = { name: 'Abort', code: 'LEDGER_FORK' };
    await expect(testClient(fork.url, { checkpoint })).rejects.toMatchObject(forked); // entries are gone
    await liar.submit(world.members.board, actions.register('p'));
    await liar.submit(world.members.board, actions.register('q'));
    await expect(testClient(fork.url, { checkpoint })).rejects.toMatchObject(forked); // entries are others
    expect(await readFile(checkpoint, 'utf8')).toBe(kept);
    const again = await testClient(server.url, { checkpoint });
    await again.submit(world.members.board, actions.register('z'));
    await until(async () => (await readFile(checkpoint, 'utf8')).includes(again.head().root));
  });

  it('a checkpoint pins operator and consortium, and must be whole', async () => {
    const first = await testServer();
    const checkpoint = join(await temporaryFolder(), 'checkpoint.json');
    await (await testClient(first.server.url, { checkpoint })).close();
    const second = await testServer();
    await expect(testClient(second.server.url, { checkpoint })).rejects.toMatchObject({ code: 'FORGED_LEDGER' });
    const pinned = testClient(first.server.url, { checkpoint, consortium: hex(1) });
    await expect(pinned).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    await writeFile(checkpoint, 'x');
    await expect(testClient(first.server.url, { checkpoint })).rejects.toMatchObject({ code: 'BAD_FILE' });
  });
});

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; !(await holds()); tries++) {
    if (tries > 500) throw new Error('it did not happen in time');
    await pause(10);
  }
}
