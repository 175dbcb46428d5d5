import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from 'vitest';
import { fabric, ownNetwork, PATIENCE, type OwnNetwork } from '../testing/network.ts';
import { addChannel, downNetwork, networkStatus, upNetwork } from './index.ts';
import { findPrograms } from './programs.ts';
import { probeSubmit, readConsortium } from './probe.ts';

describe('Fabric’s programs', () => {
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'healthchain-programs-'));
  });
  afterAll(() => rmSync(folder, { recursive: true }));
  const program = (name: string, version: string): void => {
    writeFileSync(join(folder, name), `#!/bin/sh\necho " Version: ${version}"\n`, { mode: 0o755 });
  };
  const ALL = ['peer', 'orderer', 'configtxgen', 'cryptogen', 'osnadmin'];

  it('are missing one by one, with a word on where to get them', async () => {
    for (const name of ALL.slice(0, 3)) program(name, 'v3.1.0');
    await expect(findPrograms({ FABRIC_BIN: folder })).rejects.toMatchObject({
      code: 'BAD_CONFIG',
      message: expect.stringMatching(/cryptogen, osnadmin not found in FABRIC_BIN/) as string,
      hint: expect.stringMatching(/readthedocs.*FABRIC_BIN/) as string,
    });
    await expect(findPrograms({ PATH: '/nowhere' })).rejects.toThrow(/peer, orderer, .* not found on the PATH/);
  });
  it('are of one release, 3.1 or later', async () => {
    for (const name of ALL) program(name, 'v3.1.2');
    expect(await findPrograms({ PATH: `/nowhere:${folder}` })).toMatchObject({ version: '3.1.2' });
    program('orderer', 'v3.1.0');
    await expect(findPrograms({ FABRIC_BIN: folder })).rejects.toThrow('peer is 3.1.2, orderer is 3.1.0');
    for (const name of ALL) program(name, 'v2.5.9');
    await expect(findPrograms({ FABRIC_BIN: folder })).rejects.toThrow('2.5.9 was found, 3.1 is needed');
  });
});

describe.skipIf(fabric === undefined)('a network on one machine', { timeout: PATIENCE }, () => {
  let network: OwnNetwork;
  beforeAll(async () => {
    network = await ownNetwork('lifecycle');
  }, PATIENCE);
  afterAll(() => network.remove(), PATIENCE);

  const running = async () => (await networkStatus(network.folder))?.processes.filter(({ running }) => running);
  const submits = (description = network.description) =>
    Promise.all(description.organisations.map((each) => probeSubmit(description, each, description.channels[0]!.name)));

  it('has a peer and chaincode for each of four organisations, and both channels', async () => {
    const { description } = network;
    expect(description.organisations.map(({ kind }) => kind)).toEqual(['hospital', 'hospital', 'office', 'authority']);
    expect(description.channels.map(({ name }) => name)).toEqual(['consortium', 'public']);
    expect(await running()).toHaveLength(9);
    await submits();
  });

  it('tells the hash of a channel’s first block as Fabric does', () => {
    const block = join(network.folder, 'channels', 'consortium.block');
    const next = join(network.folder, 'second.block');
    const [north] = network.description.organisations;
    const environment = {
      FABRIC_CFG_PATH: join(network.folder, 'north'),
      CORE_PEER_MSPCONFIGPATH: join(north!.identities.admin.certificate, '..', '..'),
      FABRIC_LOGGING_SPEC: 'error',
    };
    execFileSync(fabric!.path.peer, ['channel', 'fetch', '1', next, '-c', 'consortium'], {
      env: { ...process.env, ...environment },
      stdio: 'ignore',
    });
    // The second block names the first by its hash, in its header's second field.
    const { genesis } = network.description.channels[0]!;
    expect(readFileSync(next).subarray(0, 60).includes(Buffer.from(genesis, 'hex'))).toBe(true);
    expect(readFileSync(block).includes(Buffer.from(genesis, 'hex'))).toBe(false);
  });

  it('starts again from disk', async () => {
    await network.down();
    expect(await running()).toHaveLength(0);
    const status = await networkStatus(network.folder);
    expect([...status!.channels[0]!.consortium.values()]).toEqual([undefined, undefined, undefined, undefined]);
    const again = await network.up();
    expect(again.channels).toEqual(network.description.channels);
    expect(again.organisations).toEqual(network.description.organisations);
    await submits(again);
  });

  it('is up already: nothing starts twice', async () => {
    const before = await running();
    await network.up();
    expect(await running()).toEqual(before);
  });

  it('keeps its shape', async () => {
    await expect(upNetwork({ folder: network.folder, hospitals: 3 })).rejects.toThrow('has hospitals 2');
    expect(await running()).toHaveLength(9);
  });

  it('comes back whole after every process was killed', async () => {
    for (const { name } of (await running())!) await network.kill(name);
    expect(await running()).toHaveLength(0);
    await submits(await network.up());
  });

  it('takes another channel', async () => {
    const added = await addChannel(network.folder, 'another');
    expect(await readConsortium(added, added.organisations[0]!, 'another')).toBe('');
    await submits(added);
  });

  it('ends no process that merely has the id of one of ours', async () => {
    await network.down();
    const file = join(network.folder, 'processes.json');
    const alien = { name: 'peer-north', pid: process.pid, birth: 'another one', log: '' };
    writeFileSync(file, JSON.stringify([alien]));
    expect(await downNetwork(network.folder)).toBe(0);
  });
});

describe.skipIf(fabric === undefined)('a network that cannot be', { timeout: PATIENCE }, () => {
  const folder = join(inject('fabricFolder'), 'cannot-be');
  afterEach(() => downNetwork(folder, { remove: true }));

  it.each([
    [{ hospitals: 1 }, /2 to 50 hospitals/],
    [{ orderers: 0 }, /orderers/],
    [{ consensus: 'bft', orderers: 3 }, /at least 4/],
    [{ channels: ['Consortium'] }, /no channel name/],
    [{ channels: ['a', 'a'] }, /once/],
  ] as const)('%j', (shape, message) => expect(upNetwork({ folder, ...shape })).rejects.toThrow(message));

  it('is not made over other people’s files', async () => {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'thesis.txt'), 'years of work');
    await expect(upNetwork({ folder })).rejects.toThrow(/not empty/);
    await expect(downNetwork(folder, { remove: true })).rejects.toThrow(/not empty/);
    expect(existsSync(join(folder, 'thesis.txt'))).toBe(true);
    rmSync(join(folder, 'thesis.txt'));
  });

  it('leaves no process behind when its start is interrupted', async () => {
    const interrupted = new AbortController();
    const progress = (line: string): void => {
      if (line.includes('processes started')) interrupted.abort(new Error('interrupted'));
    };
    await expect(upNetwork({ folder, progress, signal: interrupted.signal })).rejects.toThrow('interrupted');
    expect(JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8'))).toEqual([]);
  });
});

describe.skipIf(fabric === undefined)('other orderers', { timeout: PATIENCE }, () => {
  it.each([
    ['three of Raft', { orderers: 3 }, 1],
    ['four of a Byzantine consensus', { consensus: 'bft' }, 1],
  ] as const)('%s take submits, with one of them gone, too', async (_name, shape, gone) => {
    const network = await ownNetwork(`orderers-${Object.keys(shape).join('-')}`, {
      ...shape,
      channels: ['consortium'],
    });
    try {
      expect(network.description.orderers.length).toBeGreaterThanOrEqual(3);
      const [north] = network.description.organisations;
      await probeSubmit(network.description, north!, 'consortium');
      for (const { name } of network.description.orderers.slice(-gone)) await network.kill(name);
      await expect
        .poll(() => probeSubmit(network.description, north!, 'consortium').then(() => 'done', String), {
          timeout: 120_000,
        })
        .toBe('done');
    } finally {
      await network.remove();
    }
  });
});
