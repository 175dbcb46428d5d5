import { createCipheriv, randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { hashBytes } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import { Workspace } from '../bitkernels/load.ts';
import { CorrelationHash } from './hash.ts';

const coin = new Uint8Array(32).fill(5);

/** pi(pi(x) + t) + pi(x), one row at a time. */
function plainHash(x: Uint8Array, place: number, direction: number): Uint8Array {
  const key = hashBytes(LABEL.expansion, Buffer.from('pi'), coin).subarray(0, 16);
  const pi = (block: Uint8Array): Buffer =>
    createCipheriv('aes-128-ecb', key, null).setAutoPadding(false).update(block);
  const inner = pi(x);
  const tweaked = Buffer.from(inner);
  tweaked.writeUInt32LE((tweaked.readUInt32LE(0) ^ place) >>> 0, 0);
  tweaked.writeUInt32LE((tweaked.readUInt32LE(4) ^ direction) >>> 0, 4);
  return pi(tweaked).map((byte, i) => byte ^ inner[i]!);
}

test('the tweaked hash is that of its definition, for every group of rows', () => {
  const workspace = new Workspace();
  const [count, first, directions] = [256, 4_000_000_000, [7, 7, 65537]] as const;
  const rows = new Uint8Array(randomBytes(3 * 16 * count));
  const [at, inner, outer] = [0, 1, 2].map(() => workspace.take(rows.length)) as [number, number, number];
  workspace.write(at, rows);
  new CorrelationHash(coin).twoCalls(workspace, at, inner, outer, first, directions, count);
  const [a, b] = [workspace.copy(inner, rows.length), workspace.copy(outer, rows.length)];
  for (let row = 0; row < 3 * count; row++) {
    const range = [16 * row, 16 * row + 16] as const;
    const expected = plainHash(rows.subarray(...range), first + (row % count), directions[Math.floor(row / count)]!);
    expect(a.subarray(...range).map((byte, i) => byte ^ b[16 * row + i]!)).toEqual(new Uint8Array(expected));
  }
});
