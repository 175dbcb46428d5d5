import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { canonicalText, decodeCanonical, decodeDocument, hashBytes, hashDocument } from './canonical.ts';
import { toHex } from './bytes.ts';
import { LABEL } from './labels.ts';

const pair = z.strictObject({ a: z.number(), b: z.string() });
const options = { what: 'pair' };
const refused = (code: string): Error => expect.objectContaining({ kind: 'Misuse', code }) as Error;

describe('canonical text', () => {
  test('sorts keys by UTF-16 code unit, at every level, and writes numbers as ECMAScript does (RFC 8785 §3.2)', () => {
    expect(canonicalText({ b: [{ z: 1, a: 1e21 }], '€': 1, '\u{1f600}': 2, ﬁ: 3, A: -0 })).toBe(
      '{"A":0,"b":[{"a":1e+21,"z":1}],"€":1,"\u{1f600}":2,"ﬁ":3}',
    );
  });
  test('does not depend on the order in which keys were set', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (document) => {
        const reversed = Object.fromEntries(Object.entries(document).reverse());
        expect(canonicalText(reversed)).toBe(canonicalText(document));
      }),
    );
  });
  test.each([
    ['NaN', Number.NaN],
    ['infinity', [Infinity]],
    ['nothing', undefined],
    ['a lone surrogate', '\ud800'],
  ])('of %s does not exist', (_, value) => expect(() => canonicalText(value)).toThrow(refused('MALFORMED')));
  test('of a cycle does not exist', () => {
    const cycle: unknown[] = [];
    cycle.push(cycle);
    expect(() => canonicalText(cycle)).toThrow(refused('MALFORMED'));
  });
});

describe('decoding', () => {
  test('takes the canonical encoding alone', () => {
    expect(decodeCanonical(pair, '{"a":1,"b":"x"}', options)).toEqual({ a: 1, b: 'x' });
    for (const text of [
      '{"b":"x","a":1}',
      '{"a":1.0,"b":"x"}',
      '{"a":1,"b":"\\u0078"}',
      '{"a":1,"a":1,"b":"x"}',
      ' {"a":1,"b":"x"}',
      '{"a":-0,"b":"x"}',
    ])
      expect(() => decodeCanonical(pair, text, options), text).toThrow(refused('NOT_CANONICAL'));
  });
  test('as a document takes any JSON of the shape', () =>
    expect(decodeDocument(pair, ' {"b":"x","a":1.0}', options)).toEqual({ a: 1, b: 'x' }));
  test.each([
    ['not JSON', '{'],
    ['of another shape', '{"a":"1","b":"x"}'],
    ['with a key too many', '{"a":1,"b":"x","c":1}'],
    ['with __proto__', '{"a":1,"b":"x","__proto__":{}}'],
    ['nested too deep', '['.repeat(101) + ']'.repeat(101)],
    ['no number at all', '{"a":1e999,"b":"x"}'],
  ])('refuses what is %s, with the code asked for', (_, text) => {
    expect(() => decodeDocument(pair, text, options)).toThrow(refused('MALFORMED'));
    expect(() => decodeDocument(pair, text, { ...options, code: 'BAD_QUERY' })).toThrow(refused('BAD_QUERY'));
  });
  test('refuses more bytes than the limit, and bytes that are not UTF-8', () => {
    expect(() => decodeDocument(z.string(), '"€"', { what: 'text', limit: 4 })).toThrow(refused('MALFORMED'));
    expect(decodeDocument(z.string(), '"€"', { what: 'text', limit: 5 })).toBe('€');
    expect(() => decodeDocument(z.string(), Uint8Array.of(34, 0xff, 34), { what: 'text' })).toThrow(
      refused('MALFORMED'),
    );
  });
  test('names the place of at most three faults, never the value', () => {
    const shape = z.strictObject({ a: z.int(), b: z.int(), c: z.int(), d: z.int() });
    const decode = (): unknown =>
      decodeDocument(shape, '{"a":"secret","b":"secret","c":"secret","d":"secret"}', { what: 'it' });
    expect(decode).toThrow(/^it: a must be .*; b must be .*; c must be .*; and 1 more$/);
    expect(decode).not.toThrow(/secret/);
  });
});

describe('hashes', () => {
  test('differ by label and by where one part ends', () => {
    const hash = (...parts: string[]): string =>
      toHex(hashBytes(LABEL.query, ...parts.map((part) => Buffer.from(part))));
    const all = [
      hash('ab'),
      hash('a', 'b'),
      hash('', 'ab'),
      hash('ab', ''),
      hash(),
      toHex(hashBytes(LABEL.schema, Buffer.from('ab'))),
    ];
    expect(new Set(all).size).toBe(all.length);
    expect(toHex(hashDocument(LABEL.query, { b: 1, a: 2 }))).toBe(toHex(hashDocument(LABEL.query, { a: 2, b: 1 })));
  });
  test('have labels that are all different and none a prefix of another', () => {
    const labels = Object.values(LABEL);
    for (const one of labels)
      for (const other of labels) if (one !== other) expect(`${other}\0`.startsWith(`${one}\0`)).toBe(false);
    expect(new Set(labels).size).toBe(labels.length);
  });
});
