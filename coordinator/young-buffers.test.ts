import { describe, expect, it } from 'vitest';
import { YoungBuffers } from './young-buffers.ts';

const MEGABYTE = 1024 * 1024;

describe('collecting young buffers', () => {
  it('happens once for every 16 MB that pass', () => {
    let collections = 0;
    const young = new YoungBuffers(() => {
      collections++;
    });
    for (let i = 0; i < 15; i++) young.read(MEGABYTE);
    expect(collections).toBe(0);
    young.read(MEGABYTE);
    expect(collections).toBe(1);
    for (let i = 0; i < 16; i++) young.read(MEGABYTE);
    expect(collections).toBe(2);
  });

  it('gives back what reads left: small objects, large memory beside the heap', async () => {
    const young = new YoungBuffers();
    young.read(16 * MEGABYTE);
    const before = process.memoryUsage().arrayBuffers;
    for (let i = 0; i < 200; i++) Buffer.allocUnsafeSlow(64 * 1024)[0] = i;
    // Another thread may still be giving memory back when a collection returns.
    const left = (): number => {
      young.read(16 * MEGABYTE);
      return process.memoryUsage().arrayBuffers;
    };
    await expect.poll(left, { interval: 20 }).toBeLessThan(before + 4 * MEGABYTE);
  });
});
