import { expect, it } from 'vitest';
import { YoungBuffers } from './young-buffers.ts';

const held = (): number => process.memoryUsage().arrayBuffers;
const MEGABYTE = 1024 * 1024;

/** What many reads leave: small objects, large memory beside the heap. */
function leaveGarbage(): void {
  for (let i = 0; i < 200; i++) Buffer.allocUnsafeSlow(64 * 1024)[0] = i;
}

it('gives memory back once enough bytes have passed, and not before', () => {
  const young = new YoungBuffers();
  young.read(16 * MEGABYTE);
  const before = held();
  leaveGarbage();
  expect(held()).toBeGreaterThan(before + 12 * MEGABYTE);
  young.read(15 * MEGABYTE);
  expect(held()).toBeGreaterThan(before + 12 * MEGABYTE);
  young.read(MEGABYTE);
  expect(held()).toBeLessThan(before + MEGABYTE);
});
