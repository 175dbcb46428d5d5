import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { generateEncounters, ENCOUNTERS_SCHEMA } from '../../hospital/synthetic/index.ts';
import { sandboxPolicy } from '../../hospital/policy.ts';
import {
  ask,
  cli,
  editConfig,
  expectOneClearLine,
  makeFolder,
  removeFolder,
  startConsortium,
  until,
  type Consortium,
} from './world.ts';

const HOSPITALS = ['anna', 'bert', 'carl'] as const;
const RELEASE = { minimumCell: 5, minimumHospitals: 2 };
const query = { dataset: 'encounters', purpose: 'GRU', release: RELEASE, statistics: [{ count: {} }] };

describe('stock made ahead, by real nodes', () => {
  const folder = makeFolder('stock');
  const home = join(folder, 'consortium');
  const config = (id: string): string => join(home, `${id}.json`);
  let consortium: Consortium;

  beforeAll(async () => {
    const { files } = await generateEncounters({ hospitals: 3, rows: 60, seed: 3, out: folder });
    consortium = await startConsortium({
      folder: home,
      hospitals: HOSPITALS.map((id, i) => ({ id, files: [files[i]!] })),
      schema: ENCOUNTERS_SCHEMA,
      policy: sandboxPolicy({ release: RELEASE }),
    });
  });
  afterAll(async () => {
    await consortium.stop();
    removeFolder(folder);
  });

  const shown = async (id: string): Promise<string> => (await cli('hospital', 'stock', '--config', config(id))).stdout;

  test('begins with the first query that is decided on shares, and grows while the nodes are idle', async () => {
    expect((await cli('hospital', 'stock', '--config', config('anna'))).stderr).toContain('Nothing was made ahead');
    const first = await ask(consortium, query);
    expect(first.groups[0]).toMatchObject({ status: 'released' });
    expect(await shown('anna')).toMatch(/^anna, bert, carl: 0 triples of 0$/m);

    for (const id of HOSPITALS) {
      await consortium.processes.get(id)!.stop();
      editConfig(config(id), (each) => (each['precompute'] = { triples: 8192 }));
      await consortium.restart(id);
    }
    await until('stock', async () => (await shown('carl')).includes('8,192 triples of 8,192'), 40);
    expect((await ask(consortium, query)).groups).toEqual(first.groups);
  });

  test('is not touched by a second process, which is told that the node has it', async () => {
    const ran = await cli('hospital', 'precompute', '--config', config('anna'));
    expectOneClearLine(ran, 'BAD_CONFIG', /A running node makes stock by itself/);
    expect((await cli('doctor', '--config', config('anna'))).stderr).toMatch(/stock: anna, bert, carl: [\d,]+ triples/);
  });

  test('survives the death of a node that was not using it, and a command fills it for one that is stopped', async () => {
    await until('stock', async () => (await shown('bert')).includes('8,192 triples of 8,192'), 40);
    consortium.processes.get('carl')!.kill();
    await until('carl to be gone', () => !consortium.processes.get('carl')!.running);
    for (const id of HOSPITALS) editConfig(config(id), (each) => (each['precompute'] = { triples: 16_384 }));
    for (const id of ['anna', 'bert'] as const) {
      await consortium.processes.get(id)!.stop();
      await consortium.restart(id);
    }
    const ran = await cli('hospital', 'precompute', '--config', config('carl'));
    expect(ran).toMatchObject({ code: 0 });
    expect(ran.stderr).toContain('8,192 triples of 16,384');
    expect(ran.stderr).toContain('16,384 triples of 16,384');
    await consortium.restart('carl');
    expect((await ask(consortium, query)).groups[0]).toMatchObject({ status: 'released' });
  });
});
