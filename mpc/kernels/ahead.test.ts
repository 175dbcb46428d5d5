import { createHash } from 'node:crypto';
import { ristretto255_hasher } from '@noble/curves/ed25519.js';
import { beforeEach, describe, expect, it, vi } from 'vitest';

/** Modules not used before: generators that were derived once stay. */
async function fresh() {
  const ahead = await import('./ahead.ts');
  const generators = await import('./generators.ts');
  const { CellVector } = await import('../cells.ts');
  const { commitCells } = await import('../pedersen.ts');
  const encodingOf = (j: number): string => {
    const cells = CellVector.zeros(j + 1);
    cells.set(j, 1n);
    return Buffer.from(commitCells(cells, new Uint8Array(32))).toString('hex');
  };
  return { ahead, generators, encodingOf };
}

/** G_j by the definition and noble. */
function reference(j: number): string {
  const block = Buffer.alloc(4);
  block.writeUInt32LE(Math.floor(j / 4096));
  const outputLength = 64 * ((j % 4096) + 1);
  const stream = createHash('shake256', { outputLength }).update('healthchain/v1/pedersen/G').update(block).digest();
  return ristretto255_hasher.deriveToCurve!(stream.subarray(-64)).toHex();
}

describe('generators derived ahead by two threads', () => {
  beforeEach(() => vi.resetModules());

  it('are those of the definition, whichever thread derived them', async () => {
    const { ahead, generators, encodingOf } = await fresh();
    ahead.beginGenerators(25_000);
    // Until the other thread has started: otherwise this one would take all batches.
    await new Promise((resolve) => setTimeout(resolve, 150));
    await ahead.finishGenerators();
    expect(generators.derivedGenerators()).toBe(25_088);
    for (const j of [0, 1, 255, 256, 4095, 4096, 16_383, 16_384, 16_639, 16_640, 20_479, 20_480, 25_000, 25_087]) {
      expect(encodingOf(j)).toBe(reference(j));
    }
  });

  it('are right when this thread finishes before the other one starts', async () => {
    const { ahead, encodingOf } = await fresh();
    ahead.beginGenerators(20_480);
    await ahead.finishGenerators();
    for (const j of [0, 300, 4095, 16_384, 20_479]) expect(encodingOf(j)).toBe(reference(j));
  });

  it('leave further ones to be derived when needed', async () => {
    const { ahead, encodingOf } = await fresh();
    ahead.beginGenerators(16_385);
    await ahead.finishGenerators();
    for (const j of [16_384, 16_640, 17_000]) expect(encodingOf(j)).toBe(reference(j));
  });

  it('take no thread where they are few or there already', async () => {
    const { ahead, generators } = await fresh();
    ahead.beginGenerators(100);
    await ahead.finishGenerators();
    expect(generators.derivedGenerators()).toBe(0);
    generators.deriveGenerators(17_000);
    ahead.beginGenerators(17_000);
    await ahead.finishGenerators();
    expect(generators.derivedGenerators()).toBe(17_152);
  });
});
