import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { temporaryFolder } from '../testing/folder.ts';
import { makeWorld } from '../testing/world.ts';
import { openEngine } from './open.ts';

const APPENDER = fileURLToPath(new URL('../testing/appender.ts', import.meta.url));
const ROUNDS = 6;

it('kill -9 at any time loses no acknowledged action, and leaves no lock; until then the folder is locked', async () => {
  const home = await temporaryFolder();
  const folder = join(home, 'ledger');
  const world = makeWorld();
  const [founding, key] = [join(home, 'founding.json'), join(home, 'board.pem')];
  await writeFile(founding, JSON.stringify(world.founding));
  await writeFile(key, world.members.board.identity.toPem());

  const acknowledged = new Map<number, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const child = spawn(process.execPath, [APPENDER, folder, founding, key, `round-${round}`], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let [said, failed] = ['', ''];
    child.stdout.setEncoding('utf8').on('data', (text: string) => (said += text));
    child.stderr.setEncoding('utf8').on('data', (text: string) => (failed += text));
    const ended = once(child, 'close');
    while (!said.startsWith('ready')) {
      await pause(5);
      if (child.exitCode !== null) throw new Error(`the appender ended by itself: ${failed}`);
    }
    const intruding = openEngine({ folder, clock: Date.now });
    await expect(intruding).rejects.toMatchObject({ name: 'Misuse', code: 'BAD_CONFIG' });
    // At full speed by then, whatever else this machine does; then anywhere between two writes, or within one.
    const enough = 20 + Math.floor(Math.random() * 60);
    while (said.split('\n').length < enough) await pause(1);
    await pause(Math.random() * 20);
    child.kill('SIGKILL');
    await ended;
    for (const line of said.split('\n').slice(1, -1)) {
      const [index, name] = line.split(' ');
      acknowledged.set(Number(index), name!);
    }

    // The lock of the killed process is gone with it; every acknowledged entry is where it was said to be.
    const engine = await openEngine({ folder, clock: Date.now });
    for (const [index, name] of acknowledged) {
      const action = engine.entries[index]?.signed.action;
      expect(action?.type === 'registerOrganisation' && action.organisation.id).toBe(name);
    }
    await engine.close();
  }
  expect(acknowledged.size).toBeGreaterThan(100);
  const lines = (await readFile(join(folder, 'entries.jsonl'), 'utf8')).split('\n');
  expect(lines.length - 2).toBeGreaterThanOrEqual(Math.max(...acknowledged.keys()));
});
