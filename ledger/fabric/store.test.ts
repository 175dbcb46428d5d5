import { appendFileSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/folder.ts';
import { actions, ContractBench, makeWorld } from '../testing/world.ts';
import type { Block } from './blocks/block.ts';
import { Outbox } from './outbox.ts';
import { BlockStore } from './store.ts';

const block = (number: number): Block => ({
  number,
  previousHash: new Uint8Array(number === 0 ? 0 : 32),
  dataHash: new Uint8Array(32).fill(number),
  data: [Uint8Array.of(1, 2, number)],
  signatures: Uint8Array.of(number),
});

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
const loaded = async (store: BlockStore): Promise<number[]> => {
  const numbers: number[] = [];
  await store.load(({ number }) => Promise.resolve(void numbers.push(number)));
  return numbers;
};
async function written(count: number): Promise<void> {
  const store = await BlockStore.open(folder);
  for (let number = 0; number < count; number++) await store.append(block(number));
  await store.close();
}

describe('blocks on disk', () => {
  it('are there after a restart, and grow further', async () => {
    await written(3);
    const store = await BlockStore.open(folder);
    expect(await loaded(store)).toEqual([0, 1, 2]);
    await store.append(block(3));
    expect((await store.lines()).map((line) => (JSON.parse(line) as { number: number }).number)).toEqual([0, 1, 2, 3]);
    await store.close();
  });
  it('that a crash cut off are left out, and written anew', async () => {
    await written(2);
    appendFileSync(join(folder, 'blocks.jsonl'), '{"data":["AQ');
    const store = await BlockStore.open(folder);
    expect(await loaded(store)).toEqual([0, 1]);
    await store.append(block(2));
    await store.close();
    expect(await loaded(await BlockStore.open(folder))).toEqual([0, 1, 2]);
  });
  it('that were changed are named', async () => {
    await written(2);
    const path = join(folder, 'blocks.jsonl');
    writeFileSync(path, readFileSync(path, 'utf8').replace('"number":0', '"number": 0'));
    const store = await BlockStore.open(folder);
    await expect(loaded(store)).rejects.toMatchObject({ name: 'Fault', code: 'DISK' });
    await store.close();
  });
  it('have one writer; a second process keeps its own in memory', async () => {
    await written(1);
    const first = await BlockStore.open(folder);
    const second = await BlockStore.open(folder);
    expect([first.isHeld, second.isHeld]).toEqual([true, false]);
    await loaded(first);
    await loaded(second);
    await second.append(block(1));
    expect(await second.lines()).toHaveLength(2);
    expect(await first.lines()).toHaveLength(1);
    await first.close();
    await second.close();
    expect(readFileSync(join(folder, 'blocks.jsonl'), 'utf8').split('\n')).toHaveLength(2);
  });
});

describe('the outbox', () => {
  it('gives back what was not removed, in order', async () => {
    const bench = await ContractBench.found(makeWorld());
    const signed = [1, 2, 3].map((version) => bench.sign('board', actions.schema(version)));
    const { outbox } = await Outbox.open(folder);
    const letters = [];
    for (const each of signed) letters.push(await outbox.add(each));
    await outbox.remove(letters[1]!);
    const again = await Outbox.open(folder);
    expect(again.left.map((letter) => letter.signed)).toEqual([signed[0], signed[2]]);
    const later = await again.outbox.add(signed[1]!);
    expect(later.path! > letters[2]!.path!).toBe(true);
    expect((await Outbox.open(folder)).left.map((letter) => letter.signed)).toEqual([signed[0], signed[2], signed[1]]);
  });
});
