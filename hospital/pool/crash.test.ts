import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { Pool } from './pool.ts';
import { platformRandom } from './testing/pools.ts';

const TAKER = fileURLToPath(new URL('testing/taker.ts', import.meta.url));
const ROUNDS = 5;

it('kill -9 at any time never lets a triple be handed out twice, leaves no lock, and no setup that was in use', async () => {
  const home = mkdtempSync(join(tmpdir(), 'healthchain-crash-'));
  const folder = join(home, 'hospital-000');
  const open = (): Pool => Pool.open({ stateFolder: folder, log: pino({ level: 'silent' }), random: platformRandom });
  const handed: string[] = [];
  try {
    for (let round = 0; round < ROUNDS; round++) {
      const child = spawn(process.execPath, [TAKER, home], { stdio: ['ignore', 'pipe', 'pipe'] });
      let [told, failed] = ['', ''];
      child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
      child.stderr.setEncoding('utf8').on('data', (text: string) => (failed += text));
      const ended = once(child, 'close');
      while (told.split('\n').length < 8) {
        await pause(5);
        if (child.exitCode !== null) throw new Error(`the taker ended by itself: ${failed}`);
      }
      expect(open).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }));
      // Somewhere between two writes, or within one.
      await pause(Math.random() * 150);
      child.kill('SIGKILL');
      await ended;
      handed.push(...told.split('\n').slice(1, -1));
      // The lock of the killed process went with it.
      open().close();
    }
    expect(handed.length).toBeGreaterThan(3 * ROUNDS);
    expect(new Set(handed).size).toBe(handed.length);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}, 120_000);

it('a process that is killed while it uses stock leaves a mark on disk: the next one destroys it', async () => {
  const home = mkdtempSync(join(tmpdir(), 'healthchain-crash-'));
  const lines: string[] = [];
  const log = pino({}, { write: (line: string) => void lines.push(line) });
  try {
    const child = spawn(process.execPath, [TAKER, home, 'hold'], { stdio: ['ignore', 'pipe', 'inherit'] });
    let told = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => (told += text));
    while (!told.includes('taken') && child.exitCode === null) await pause(5);
    const ended = once(child, 'close');
    child.kill('SIGKILL');
    await ended;
    for (const party of ['hospital-000', 'hospital-001', 'hospital-002']) {
      const pool = Pool.open({ stateFolder: join(home, party), log, random: platformRandom });
      expect(pool.status).toMatchObject([{ setup: false, triples: 0 }]);
      pool.close();
    }
    expect(lines.filter((line) => line.includes('stopped in the middle of a session that used it'))).toHaveLength(3);
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
});
