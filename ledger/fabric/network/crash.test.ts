import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, afterAll, describe, expect, inject, it } from 'vitest';
import { fabric, ownNetwork, PATIENCE, type OwnNetwork } from '../testing/network.ts';
import { birthOf } from './birth.ts';
import { downNetwork, upNetwork } from './index.ts';
import { probeSubmit, readConsortium } from './probe.ts';

interface Recorded {
  readonly name: string;
  readonly pid: number;
  readonly birth: string;
}
const recorded = (folder: string): readonly Recorded[] =>
  JSON.parse(readFileSync(join(folder, 'processes.json'), 'utf8')) as Recorded[];
const alive = (processes: readonly Recorded[]): string[] =>
  processes.filter(({ pid, birth }) => birthOf(pid) === birth).map(({ name }) => name);

describe.skipIf(fabric === undefined)(
  'a command that ends in the middle of making a network',
  { timeout: PATIENCE },
  () => {
    const folder = join(inject('fabricFolder'), 'interrupted');
    afterEach(() => downNetwork(folder, { remove: true }));

    /** `healthchain fabric up`, as far as its processes have started. */
    async function begun(): Promise<ChildProcess> {
      const bin = fileURLToPath(import.meta.resolve('#bin'));
      const up = spawn(process.execPath, [bin, 'fabric', 'up', '--dir', folder], {
        stdio: ['ignore', 'ignore', 'pipe'],
      });
      let said = '';
      for await (const chunk of up.stderr.iterator({ destroyOnReturn: false })) {
        said += String(chunk);
        if (said.includes('processes started')) break;
      }
      up.stderr.resume();
      return up;
    }

    it('leaves what it started on record when it is killed; down ends it, and up begins anew', async () => {
      const up = await begun();
      up.kill('SIGKILL');
      await once(up, 'exit');
      const started = recorded(folder);
      expect(alive(started)).toHaveLength(9);
      expect(await downNetwork(folder)).toBe(9);
      expect(alive(started)).toEqual([]);
      const network = await upNetwork({ folder });
      await probeSubmit(network, network.organisations[0]!, 'consortium');
    });

    it('begins anew over what still runs of it', async () => {
      const up = await begun();
      up.kill('SIGKILL');
      await once(up, 'exit');
      const started = recorded(folder);
      await upNetwork({ folder });
      expect(alive(started)).toEqual([]);
      expect(alive(recorded(folder))).toHaveLength(9);
    });

    it('ends what it started when it is told to stop', async () => {
      const up = await begun();
      const started = recorded(folder);
      up.kill('SIGTERM');
      expect(await once(up, 'exit')).toEqual([1, null]);
      expect(alive(started)).toEqual([]);
    });
  },
);

describe.skipIf(fabric === undefined)('a process that is killed and started again', { timeout: PATIENCE }, () => {
  let network: OwnNetwork;
  beforeAll(async () => {
    network = await ownNetwork('killed', { channels: ['consortium'] });
  }, PATIENCE);
  afterAll(() => network.remove(), PATIENCE);

  it.each(['chaincode-north', 'peer-north', 'orderer1'])('%s is missed, and then works again', async (name) => {
    const { description } = network;
    const [north] = description.organisations;
    const attempt = async (): Promise<string> => {
      try {
        // The chaincode of north's own peer answers the read, and every part takes part in the submit.
        await readConsortium(description, north!, 'consortium');
        await probeSubmit(description, north!, 'consortium');
        return 'works';
      } catch (error) {
        return String(error);
      }
    };
    expect(await attempt()).toBe('works');
    await network.kill(name);
    expect(await attempt()).not.toBe('works');
    await network.restart(name);
    await expect.poll(attempt, { timeout: 120_000, interval: 500 }).toBe('works');
  });
});
