import { describe, expect, it } from 'vitest';
import { decodeDocument } from '../../protocol/canonical.ts';
import type { Entry, TreeHead } from '../../protocol/ledger.ts';
import { makeExport } from '../testing/chains.ts';
import { Broadcast } from './broadcast.ts';
import type { Engine } from './engine.ts';
import { entryBatch } from './wire.ts';

const { document } = await makeExport(4);
const { entries, head } = document;

/** As much of an engine as a broadcast reads. */
const engineAt = (of: { entries: readonly Entry[]; head: TreeHead }): Engine =>
  ({ entries: of.entries, head: () => of.head }) as unknown as Engine;

describe('a broadcast', () => {
  it('tells each reader the head and what it adds to the place of that reader', () => {
    const broadcast = new Broadcast(engineAt({ entries, head }));
    for (const from of [0, 2, 3]) {
      const { size, text } = broadcast.batch(from);
      expect(size).toBe(4);
      expect(decodeDocument(entryBatch, text, { what: 'batch' })).toEqual({ entries: entries.slice(from), head });
    }
  });

  it('lets news after a quiet moment go at once, and holds the next back the longer the more readers there are', () => {
    const state = { entries, head };
    const broadcast = new Broadcast({ entries, head: () => state.head } as unknown as Engine);
    const leaves = Array.from({ length: 200 }, () => broadcast.join());
    expect(broadcast.wait()).toBe(0);
    broadcast.batch(0);
    state.head = { ...head };
    expect(broadcast.wait()).toBeGreaterThan(0);
    leaves.forEach((leave) => leave());
    broadcast.batch(0);
    state.head = { ...head };
    expect(broadcast.wait()).toBe(0);
  });
});
