import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type ed25519, ristretto255_hasher } from '@noble/curves/ed25519.js';
import { afterAll, describe, expect, it } from 'vitest';
import { BATCH, deriveBatch, GENERATOR_LABEL, reserveGenerators } from './generators.ts';
import { kernels, layout, memory } from './load.ts';
import { blockOf, COORDINATES_BYTES, digestOf, loadBlock, TABLE_BLOCK, TABLE_DIGESTS } from './table.ts';

const NIELS_BYTES = 160;
const folder = mkdtempSync(join(tmpdir(), 'healthchain-table-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** The whole table, by definition: nothing of it comes from the file. */
const blocks = TABLE_DIGESTS.map((_, block) => {
  reserveGenerators(TABLE_BLOCK * TABLE_DIGESTS.length);
  const end = TABLE_BLOCK * (block + 1);
  for (let first = TABLE_BLOCK * block; first < end; first += BATCH) deriveBatch(first, BATCH, { end });
  return blockOf(block);
});

function fileOf(name: string, content: Uint8Array): URL {
  writeFileSync(join(folder, name), content);
  return pathToFileURL(join(folder, name));
}

function erase(block: number): void {
  const at = layout.generators + NIELS_BYTES * TABLE_BLOCK * block;
  memory().fill(0, at, at + NIELS_BYTES * TABLE_BLOCK);
}

describe('the table of generators', () => {
  it('has the digests of the generators as they are defined', () => {
    expect(blocks.map(digestOf)).toEqual(TABLE_DIGESTS);
  });

  it('holds coordinates of the elements that noble derives', () => {
    const stream = createHash('shake256', { outputLength: 64 * TABLE_BLOCK })
      .update(GENERATOR_LABEL)
      .update(new Uint8Array([1, 0, 0, 0]))
      .digest();
    for (const k of [0, 1, 1023, 1024, 4095]) {
      const at = COORDINATES_BYTES * k;
      const [x, y] = [0, 32].map((from) => {
        const bytes = Buffer.from(blocks[1]!.subarray(at + from, at + from + 32)).reverse();
        return BigInt(`0x${bytes.toString('hex')}`);
      });
      const { ep } = ristretto255_hasher.deriveToCurve!(stream.subarray(64 * k, 64 * k + 64)) as unknown as {
        ep: InstanceType<typeof ed25519.Point>;
      };
      expect([x, y]).toEqual([ep.toAffine().x, ep.toAffine().y]);
    }
  });

  it('gives back what it was made from', () => {
    const file = fileOf('whole', Buffer.concat(blocks));
    for (const block of TABLE_DIGESTS.keys()) {
      erase(block);
      expect(loadBlock(block, file)).toBe(true);
      expect(digestOf(blockOf(block))).toBe(TABLE_DIGESTS[block]);
    }
  });

  it('is not used where it is missing, cut short, altered, or from another place', () => {
    const altered = Buffer.concat(blocks);
    altered[COORDINATES_BYTES * TABLE_BLOCK + 5]! ^= 1;
    const file = fileOf('altered', altered);
    const cut = fileOf('cut', Buffer.concat(blocks).subarray(0, -1));
    const moved = fileOf('moved', Buffer.concat([blocks[1]!, blocks[0]!]));
    for (const block of TABLE_DIGESTS.keys()) erase(block);
    expect([0, 1].map((block) => loadBlock(block, file))).toEqual([true, false]);
    expect(loadBlock(TABLE_DIGESTS.length - 1, cut)).toBe(false);
    expect(loadBlock(0, moved)).toBe(false);
    expect(loadBlock(0, new URL('nowhere', file))).toBe(false);
    expect(loadBlock(TABLE_DIGESTS.length, file)).toBe(false);
    // What was refused has not come into memory.
    kernels.storeGenerators(layout.operand, TABLE_BLOCK, 1);
    expect(
      memory()
        .slice(layout.operand, layout.operand + 64)
        .every((byte) => byte === 0),
    ).toBe(true);
  });

  it('was made by the build', () => {
    const made = readFileSync(new URL('./generators.bin', import.meta.url));
    expect(digestOf(made)).toBe(digestOf(Buffer.concat(blocks)));
  });
});
