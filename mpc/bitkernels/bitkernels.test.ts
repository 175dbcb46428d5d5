import { randomBytes } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { Workspace } from './load.ts';

const bitAt = (bytes: Uint8Array, place: number): number => (bytes[place >> 3]! >> (place & 7)) & 1;

function filled(workspace: Workspace, length: number): { at: number; bytes: Uint8Array } {
  const bytes = new Uint8Array(randomBytes(length));
  const at = workspace.take(length);
  workspace.write(at, bytes);
  return { at, bytes };
}

describe('the bit kernels', () => {
  test.each([
    [128, 16],
    [256, 48],
    [1024, 128],
  ])('transpose %i rows of columns %i bytes apart', (n, stride) => {
    const workspace = new Workspace();
    const columns = filled(workspace, 128 * stride);
    const rows = workspace.take(16 * n);
    workspace.kernels.transpose(rows, columns.at, stride, n);
    const out = workspace.view(rows, 16 * n);
    for (let t = 0; t < n; t++) {
      for (let b = 0; b < 128; b++) {
        if (bitAt(out, 128 * t + b) !== bitAt(columns.bytes, 8 * stride * b + t)) expect.fail(`row ${t}, column ${b}`);
      }
    }
  });

  test('expand leaves so that w = v + d x for every pair of key bits', () => {
    const length = 32;
    for (let missing = 0; missing < 4; missing++) {
      const workspace = new Workspace();
      const [x, ...r] = Array.from({ length: 5 }, () => filled(workspace, length));
      const [c, v0, v1, w0, w1] = Array.from({ length: 5 }, () => workspace.take(length));
      const [r0, r1, r2, r3] = r.map(({ at }) => at);
      workspace.kernels.expandHolder(c!, v0!, v1!, x!.at, r0!, r1!, r2!, r3!, length);
      const leaf = (y: number): number => r[missing ^ y]!.at;
      workspace.kernels.expandKeeper(w0!, w1!, c!, leaf(1), leaf(2), leaf(3), missing & 1, missing >> 1, length);
      for (const [v, w, d] of [
        [v0!, w0!, missing & 1],
        [v1!, w1!, missing >> 1],
      ] as const) {
        const expected = workspace.view(v, length).map((byte, i) => byte ^ (d * x!.bytes[i]!));
        expect(workspace.view(w, length)).toEqual(expected);
      }
    }
  });

  test('add elements and rows where a bit says so, and read the lowest bits', () => {
    const workspace = new Workspace();
    const n = 128;
    const [to, from, bits, element] = [16 * n, 16 * n, n / 8, 16].map((length) => filled(workspace, length));
    workspace.kernels.addSelected(to!.at, bits!.at, from!.at, n);
    workspace.kernels.addElement(to!.at, bits!.at, element!.at, n);
    const expected = to!.bytes.map(
      (byte, i) => byte ^ (bitAt(bits!.bytes, i >> 4) * (from!.bytes[i]! ^ element!.bytes[i & 15]!)),
    );
    expect(workspace.view(to!.at, 16 * n)).toEqual(expected);
    const packed = workspace.take(n / 8);
    workspace.kernels.lowBits(packed, to!.at, n);
    const low = workspace.view(packed, n / 8);
    for (let t = 0; t < n; t++) expect(bitAt(low, t)).toBe(expected[16 * t]! & 1);
  });

  test('a workspace gives regions on cache lines that do not overlap, and keeps contents when it grows', () => {
    const workspace = new Workspace();
    const first = filled(workspace, 100);
    const mark = workspace.mark();
    const second = filled(workspace, 1 << 20);
    expect(second.at % 64).toBe(0);
    expect(second.at).toBeGreaterThanOrEqual(first.at + 100);
    expect(workspace.copy(first.at, 100)).toEqual(first.bytes);
    workspace.release(mark);
    expect(workspace.take(8)).toBe(second.at);
    workspace.erase();
    expect(workspace.view(first.at, 100).every((byte) => byte === 0)).toBe(true);
  });

  test('a workspace that was given back serves again, overwritten; one that is in use serves nobody else', () => {
    const workspace = Workspace.open();
    expect(Workspace.open()).not.toBe(workspace);
    const mark = workspace.mark();
    const { at } = filled(workspace, 1 << 20);
    workspace.release(mark);
    workspace.close();
    const next = Workspace.open();
    expect(next).toBe(workspace);
    expect(next.take(1 << 20)).toBe(at);
    expect(next.view(at, 1 << 20).every((byte) => byte === 0)).toBe(true);
    expect(Workspace.open()).not.toBe(next);
  });
});
