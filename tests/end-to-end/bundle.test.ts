import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { digestOfFiles, isCurrent } from '../../bin/bundle.js';
import { makeFolder, removeFolder } from './world.ts';

describe('the bundle of a checkout', () => {
  let base: string;
  const write = (name: string, content: string): void => writeFileSync(join(base, name), content);
  const bundleFrom = (files: readonly string[]): void =>
    write('bundle/main/manifest.json', JSON.stringify({ files, digest: digestOfFiles(base, files) }));

  beforeEach(() => {
    base = makeFolder('bundle');
    mkdirSync(join(base, 'bundle', 'main'), { recursive: true });
    write('a.ts', 'export const a = 1;');
    write('b.ts', 'export const b = 1;');
    bundleFrom(['a.ts', 'b.ts']);
  });
  afterEach(() => removeFolder(base));

  test('is taken while the sources are those it was made from, whenever they were written', () => {
    expect(isCurrent(base, 'main')).toBe(true);
    write('a.ts', 'export const a = 1;');
    expect(isCurrent(base, 'main')).toBe(true);
  });

  test('is not taken once a source is another, of the same length or not, or is gone', () => {
    write('a.ts', 'export const a = 2;');
    expect(isCurrent(base, 'main')).toBe(false);
    bundleFrom(['a.ts', 'b.ts']);
    expect(isCurrent(base, 'main')).toBe(true);
    // The same bytes one after the other, cut elsewhere.
    write('a.ts', 'export const a = 2;e');
    write('b.ts', 'xport const b = 1;');
    expect(isCurrent(base, 'main')).toBe(false);
    rmSync(join(base, 'b.ts'));
    expect(isCurrent(base, 'main')).toBe(false);
  });

  test('is not taken without its manifest', () => {
    write('bundle/main/manifest.json', '{');
    expect(isCurrent(base, 'main')).toBe(false);
    rmSync(join(base, 'bundle'), { recursive: true });
    expect(isCurrent(base, 'main')).toBe(false);
  });
});
