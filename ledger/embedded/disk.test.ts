import { appendFile, readFile, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { canonicalText } from '../../protocol/canonical.ts';
import { HealthchainError } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import { Chain } from '../chain.ts';
import { signHead } from '../heads.ts';
import { signAction } from '../sign.ts';
import { CLOCK, temporaryFolder } from '../testing/folder.ts';
import { actions, makeWorld, type World } from '../testing/world.ts';
import type { AppendFile } from './disk.ts';
import { Engine } from './engine.ts';
import { EntryLog } from './log.ts';
import { openEngine } from './open.ts';

/** A closed ledger folder of five entries. */
async function makeFolder(): Promise<{ folder: string; path: string; text: string; world: World }> {
  const folder = await temporaryFolder();
  const world = makeWorld();
  const engine = await openEngine({ folder, founding: world.founding, clock: CLOCK });
  const register = (name: string) => signAction(world.members.board, engine.consortium, actions.register(name));
  await Promise.all(['a', 'b', 'c', 'd'].map((name) => engine.submit(register(name))));
  await engine.close();
  const path = join(folder, 'entries.jsonl');
  return { folder, path, text: await readFile(path, 'utf8'), world };
}
const reopen = (folder: string): Promise<Engine> => openEngine({ folder, clock: CLOCK });

describe('what a crash leaves', () => {
  it('a torn last line of any length is cut off', async () => {
    const { folder, path, text, world } = await makeFolder();
    const next = text.split('\n')[4]!.replace('"index":4', '"index":5');
    for (let length = 1; length <= next.length; length += 97) {
      await appendFile(path, next.slice(0, length));
      const engine = await reopen(folder);
      expect(engine.entries).toHaveLength(5);
      await engine.close();
      expect(await readFile(path, 'utf8')).toBe(text);
    }
    await appendFile(path, Buffer.alloc(4096));
    const engine = await reopen(folder);
    await engine.submit(signAction(world.members.board, engine.consortium, actions.schema()));
    await engine.close();
    const again = await reopen(folder);
    expect(again.entries).toHaveLength(6);
    await again.close();
  });

  it('a head file that is empty or older is no obstacle', async () => {
    const { folder } = await makeFolder();
    await writeFile(join(folder, 'head.json'), '');
    await (await reopen(folder)).close();
    await rm(join(folder, 'head.json'));
    await (await reopen(folder)).close();
  });
});

describe('what no crash leaves is reported, and nothing is dropped', () => {
  const damages: Record<string, [RegExp, (text: string, lines: string[]) => string]> = {
    'bad-byte-in-the-middle': [/entry 2 .*damaged/, (_, lines) => join3(lines, 2, (line) => line.replace(':', ';'))],
    'bad-digit-in-the-middle': [
      /entry 2 .*damaged: .*BAD_SIGNATURE/,
      (_, lines) => join3(lines, 2, (line) => line.replace(/"signature":"./, (was) => was.slice(0, -1) + flipped(was))),
    ],
    'bad-link-in-the-middle': [
      /entry 3 .*damaged: .*link/,
      (_, lines) => join3(lines, 3, (line) => line.replace(/"previous":"./, (was) => was.slice(0, -1) + flipped(was))),
    ],
    'bad-time-in-the-middle': [
      /entry 3 .*damaged: .*link/,
      (_, lines) => join3(lines, 2, (line) => line.replace('2026', '2025')),
    ],
    'bad-white-space': [/entry 1 .*canonical/, (_, lines) => join3(lines, 1, (line) => line.replace(':', ': '))],
    'bad-line-missing': [/entry 2 .*damaged/, (_, lines) => [...lines.slice(0, 2), ...lines.slice(3)].join('\n')],
    'bad-empty-line': [/entry 2 .*damaged/, (_, lines) => [...lines.slice(0, 2), '', ...lines.slice(2)].join('\n')],
    'bad-last-line-cut': [/ends before entry 4, but 5/, (text) => text.slice(0, -1)],
    'bad-last-entries-cut': [/ends before entry 2, but 5/, (_, lines) => `${lines.slice(0, 2).join('\n')}\n`],
    'bad-last-time': [
      /not the ones that were signed/,
      (_, lines) => join3(lines, 4, (line) => line.replace('2026', '2025')),
    ],
    'bad-all-cut': [/ends before entry 0, but 5/, () => ''],
    'bad-zeros-in-the-middle': [/entry 1 .*damaged/, (_, lines) => join3(lines, 1, (line) => '\0'.repeat(line.length))],
  };
  it.each(Object.entries(damages))('%s', async (_name, [message, damage]) => {
    const { folder, path, text } = await makeFolder();
    const damaged = damage(text, text.split('\n'));
    await writeFile(path, damaged);
    const error: unknown = await reopen(folder).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Fault', code: 'DISK' });
    expect((error as Error).message).toMatch(message);
    expect(await readFile(path, 'utf8')).toBe(damaged);
  });

  it('a lost operator key is not replaced in silence', async () => {
    const { folder } = await makeFolder();
    await rm(join(folder, 'operator.pem'));
    await expect(reopen(folder)).rejects.toMatchObject({ name: 'Misuse', code: 'BAD_CONFIG' });
  });

  it('random damage gives typed errors only', async () => {
    const { folder, path, text } = await makeFolder();
    const damage = fc.tuple(fc.nat({ max: text.length - 1 }), fc.string({ maxLength: 3 }), fc.nat({ max: 3 }));
    await fc.assert(
      fc.asyncProperty(damage, async ([at, insert, skip]) => {
        const damaged = text.slice(0, at) + insert + text.slice(at + skip);
        fc.pre(damaged !== text);
        await writeFile(path, damaged);
        const result: unknown = await reopen(folder).catch((caught: unknown) => caught);
        if (result instanceof Engine) {
          await result.close();
          expect(damaged.startsWith(text)).toBe(true); // nothing but a torn tail may pass
        } else expect(result).toBeInstanceOf(HealthchainError);
      }),
      { numRuns: 150 },
    );
  });
});

const join3 = (lines: readonly string[], at: number, change: (line: string) => string): string =>
  lines.map((line, index) => (index === at ? change(line) : line)).join('\n');
const flipped = (text: string): string => (text.endsWith('0') ? '1' : '0');

/** A file in memory whose next append or sync fails, after some bytes were written. */
class FailingFile implements AppendFile {
  bytes = Buffer.alloc(0);
  fails: 'append' | 'sync' | 'append and truncate' | undefined;
  append(bytes: Uint8Array): Promise<void> {
    const full = this.fails?.startsWith('append') === true;
    this.bytes = Buffer.concat([this.bytes, full ? bytes.subarray(0, 100) : bytes]);
    return full ? Promise.reject(Object.assign(new Error('full'), { code: 'ENOSPC' })) : Promise.resolve();
  }
  sync(): Promise<void> {
    return this.fails === 'sync' ? Promise.reject(Object.assign(new Error('io'), { code: 'EIO' })) : Promise.resolve();
  }
  truncate(length: number): Promise<void> {
    if (this.fails === 'append and truncate') return Promise.reject(new Error('io'));
    this.bytes = this.bytes.subarray(0, length);
    return Promise.resolve();
  }
  close(): Promise<void> {
    return Promise.resolve();
  }
}

async function engineOnFailingDisk() {
  const world = makeWorld();
  const file = new FailingFile();
  const log = new EntryLog(file, 0);
  const chain = new Chain();
  const stage = chain.stage();
  const { entry } = await stage.propose(world.founding, '2026-01-01T00:00:00.000Z');
  await log.append([entry]);
  await stage.commit();
  const operator = Identity.generate();
  const head = signHead(operator, { consortium: chain.consortium!, size: 1, root: chain.tree.rootAt(1) });
  const engine = new Engine({
    log,
    chain,
    operator,
    head,
    lock: { release: () => undefined },
    keepHead: () => Promise.resolve(),
    clock: CLOCK,
  });
  const sign = (name: string) => signAction(world.members.board, engine.consortium, actions.register(name));
  return { engine, file, chain, sign };
}

describe('a disk that fails', () => {
  it('when full: refuses the whole batch, changes nothing, and goes on when there is room', async () => {
    const { engine, file, sign } = await engineOnFailingDisk();
    const before = { bytes: file.bytes.toString(), head: engine.head(), entries: [...engine.entries] };
    file.fails = 'append';
    const outcomes = await Promise.allSettled(['a', 'b', 'a'].map((name) => engine.submit(sign(name))));
    for (const outcome of outcomes) {
      expect(outcome).toMatchObject({ status: 'rejected', reason: { name: 'Fault', code: 'DISK' } });
    }
    expect({ bytes: file.bytes.toString(), head: engine.head(), entries: [...engine.entries] }).toEqual(before);
    file.fails = undefined;
    expect(await engine.submit(sign('a'))).toMatchObject({ index: 1 });
    expect(file.bytes.toString()).toBe(engine.entries.map((entry) => `${canonicalText(entry)}\n`).join(''));
  });

  it.each(['sync', 'append and truncate'] as const)('on %s: takes nothing more until restart', async (fails) => {
    const { engine, file, sign } = await engineOnFailingDisk();
    file.fails = fails;
    await expect(engine.submit(sign('a'))).rejects.toMatchObject({ code: 'DISK' });
    file.fails = undefined;
    await expect(engine.submit(sign('b'))).rejects.toThrow('takes no more entries');
    expect(engine.entries).toHaveLength(1);
  });

  it('one fsync serves many submissions', async () => {
    const { engine, file, sign } = await engineOnFailingDisk();
    let syncs = 0;
    const sync = file.sync.bind(file);
    file.sync = () => ((syncs += 1), sync());
    await Promise.all(Array.from({ length: 100 }, (_, i) => engine.submit(sign(`m-${i}`))));
    expect(engine.entries).toHaveLength(101);
    expect(syncs).toBeLessThan(10);
  });
});

describe('a folder', () => {
  it('serves one process, and the next when that has ended', async () => {
    const { folder } = await makeFolder();
    const engine = await reopen(folder);
    await expect(reopen(folder)).rejects.toMatchObject({ name: 'Misuse', code: 'BAD_CONFIG' });
    await engine.close();
    await (await reopen(folder)).close();
  });
  it('needs a founding action when empty, and takes no other one later', async () => {
    const empty = await temporaryFolder();
    await expect(reopen(empty)).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    const { folder, world } = await makeFolder();
    await (await openEngine({ folder, founding: world.founding, clock: CLOCK })).close();
    const another = openEngine({ folder, founding: makeWorld().founding, clock: CLOCK });
    await expect(another).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });
  it('takes no founding action that the contract refuses', async () => {
    const world = makeWorld();
    const forged = { ...world.founding, signature: '0'.repeat(128) };
    const folder = await temporaryFolder();
    await expect(openEngine({ folder, founding: forged, clock: CLOCK })).rejects.toMatchObject({
      code: 'BAD_SIGNATURE',
    });
    await (await openEngine({ folder, founding: world.founding, clock: CLOCK })).close();
  });
  it('that cannot be had is a disk fault', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await truncate(join(folder, 'file'), 0);
    const inFile = openEngine({ folder: join(folder, 'file', 'x'), clock: CLOCK });
    await expect(inFile).rejects.toMatchObject({ name: 'Fault', code: 'DISK' });
  });
});
