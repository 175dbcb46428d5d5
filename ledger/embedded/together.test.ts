import { setTimeout as pause } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { together } from './together.ts';

async function* countTo(last: number): AsyncGenerator<number> {
  for (let n = 1; n <= last; n++) yield await Promise.resolve(n);
}
async function all<T>(groups: AsyncIterable<readonly T[]>): Promise<(readonly T[])[]> {
  const seen: (readonly T[])[] = [];
  for await (const group of groups) seen.push(group);
  return seen;
}

describe('items together', () => {
  test('come each once and in order, many at a time', async () => {
    const seen = await all(together(countTo(100)));
    expect(seen.flat()).toEqual(Array.from({ length: 100 }, (_, i) => i + 1));
    expect(seen.length).toBeLessThan(20);
  });

  test('do not wait for one another', async () => {
    const gate = Promise.withResolvers<void>();
    async function* slow(): AsyncGenerator<string> {
      yield 'now';
      await gate.promise;
      yield 'later';
    }
    const groups = together(slow());
    expect(await groups.next()).toEqual({ done: false, value: ['now'] });
    gate.resolve();
    expect(await groups.next()).toEqual({ done: false, value: ['later'] });
    expect(await groups.next()).toMatchObject({ done: true });
  });

  test('that come while the last are worked on come at once', async () => {
    const groups = together(countTo(5));
    await groups.next();
    const slowly: number[][] = [];
    for await (const group of together(countTo(40))) {
      slowly.push([...group]);
      await pause(5);
    }
    expect(slowly.flat()).toHaveLength(40);
    expect(slowly.length).toBeLessThanOrEqual(4);
    await groups.return(undefined);
  });

  test('end with the error of their source', async () => {
    async function* broken(): AsyncGenerator<number> {
      yield await Promise.resolve(1);
      throw new Error('the line broke');
    }
    await expect(all(together(broken()))).rejects.toThrow('the line broke');
  });

  test('let go of the source when nobody wants more', async () => {
    let released = false;
    async function* held(): AsyncGenerator<number> {
      try {
        for (;;) yield await pause(1, 1);
      } finally {
        released = true;
      }
    }
    for await (const group of together(held())) {
      expect(group.length).toBeGreaterThan(0);
      break;
    }
    await expect.poll(() => released).toBe(true);
  });
});
