import { createHash } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { NamespaceSet, RangeRead } from './read-write-set.ts';
import { hashTree, KeyVersions } from './versions.ts';

/**
 * Made with Fabric 3.1.5's own rwsetutil.RangeQueryResultsHelper over the results key/00000, key/00001, … of versions
 * `versionOf`: results, degree, level of the top, hashes at the top, SHA-256 over these.
 */
const VECTORS: readonly (readonly [number, number, number, number, string])[] = [
  [51, 50, 1, 1, '2a75f089c571739d618bfad3f254233fb71368a34029650bd615b5e2db80c17b'],
  [102, 50, 1, 2, '9ac5e668bf62d9b0ce126569cfe6bdf17ce59498620c4815ac176296207938d6'],
  [121, 50, 1, 3, '320bae9a322d83b2637021086f784f30f027319bcc43c762c810c7b2f19c9028'],
  [2600, 50, 2, 1, '15c616b96bab4f52436fd68cfb16d2d4aae84af54bb241426078958f496bd273'],
  [2652, 50, 2, 2, '0c0b38144c84633addfef45036ca1e19b1a0fe8afeeb2f1992a71d14affec5b6'],
  [9, 2, 2, 1, '3d979edc38cc55e17d24bd8d420832ff703159a053bffcf5803c89ccd9b0707d'],
  [10, 2, 2, 2, '9849f40e5f34e6b69504307b2617c151ad8ff668326e2015ba8849f1461162fd'],
  [27, 2, 3, 1, '1f4a9f27023115005730de294317f50544bd8c1609ac2940b803fc935c6c363c'],
  [28, 2, 3, 2, 'f59fae66e9ef42fec8381144dde9b31daf5d46c0376f8b1c99042d790b38f4e1'],
  [40, 3, 2, 3, '294ea0acfb86ead18845cc1c0566298be03e801fef5202d578bc2be38c870d2e'],
];
const PEER_DEGREE = 50;

const versionOf = (at: number): string => `${Math.floor(at / 7)}:${at % 7}`;
const resultsOf = (count: number) =>
  Array.from({ length: count }, (_, at) => ({ key: `key/${String(at).padStart(5, '0')}`, version: versionOf(at) }));

describe('the hash tree over a long range read', () => {
  it.each(VECTORS)('of %i results at degree %i is Fabric’s', (count, degree, level, hashes, digest) => {
    const tree = hashTree(resultsOf(count), degree)!;
    expect({ level: tree.level, hashes: tree.hashes.length }).toEqual({ level, hashes });
    expect(createHash('sha256').update(Buffer.concat(tree.hashes)).digest('hex')).toBe(digest);
  });
  it('is none where Fabric lists the results', () => {
    expect(hashTree(resultsOf(PEER_DEGREE), PEER_DEGREE)).toBeUndefined();
    expect(hashTree([], PEER_DEGREE)).toBeUndefined();
    expect(hashTree(resultsOf(60), 1)).toBeUndefined();
  });
});

describe('a transaction that read a long range', () => {
  let versions: KeyVersions;
  beforeEach(() => {
    versions = new KeyVersions();
    versions.beginBlock();
    for (const { key, version } of resultsOf(121)) versions.apply([setOf({ write: key })], version);
    versions.beginBlock();
  });
  const setOf = (of: { write?: string; remove?: string; range?: RangeRead }): NamespaceSet => ({
    chaincode: 'healthchain',
    collection: undefined,
    reads: [],
    ranges: of.range === undefined ? [] : [of.range],
    writes: [
      ...(of.write === undefined ? [] : [{ key: of.write, value: Uint8Array.of(1) }]),
      ...(of.remove === undefined ? [] : [{ key: of.remove, value: undefined }]),
    ],
    metadata: false,
  });
  const read = (change: Partial<NonNullable<RangeRead['tree']>> = {}): NamespaceSet => {
    const tree = { degree: PEER_DEGREE, ...hashTree(resultsOf(121), PEER_DEGREE)!, ...change };
    return setOf({ range: { start: 'key/', end: 'key0', exhausted: true, reads: undefined, tree } });
  };

  it('takes effect while the range is as it was', () => {
    versions.apply([setOf({ write: 'other/1' })], '90:0');
    expect(versions.conflict([read()])).toBeUndefined();
  });
  it.each<[string, { write?: string; remove?: string }]>([
    ['grew', { write: 'key/00007a' }],
    ['grew at its end', { write: 'key/99999' }],
    ['shrank', { remove: 'key/00060' }],
    ['shrank at its end', { remove: 'key/00120' }],
    ['was written over', { write: 'key/00060' }],
  ])('takes none where it %s meanwhile, in the same block too', (_name, change) => {
    versions.apply([setOf(change)], '90:0');
    expect(versions.conflict([read()])).toBe('PHANTOM_READ_CONFLICT');
  });
  it.each<[string, Partial<NonNullable<RangeRead['tree']>>]>([
    ['another level', { level: 2 }],
    ['a hash less', { hashes: hashTree(resultsOf(121), PEER_DEGREE)!.hashes.slice(1) }],
    ['another hash', { hashes: hashTree(resultsOf(120), PEER_DEGREE)!.hashes }],
    ['another degree', { degree: 60 }],
    ['a degree for which there is no tree', { degree: 1 }],
    ['a degree at which results are listed', { degree: 121 }],
  ])('takes none under %s', (_name, change) => {
    expect(versions.conflict([read(change)])).toBe('PHANTOM_READ_CONFLICT');
  });
});
