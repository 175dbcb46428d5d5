import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalBytes, canonicalText, decodeCanonical, decodeDocument } from '../../protocol/canonical.ts';
import { SAMPLES } from './documents.ts';
import { documentMutations, mutations, total } from './mutate.ts';

const quote = (text: string): string => `"${text}"`;

/** Other encodings of the same document: all mean the same to JSON.parse, none is the one allowed. */
const variants: readonly [string, (text: string) => string][] = [
  ['a space after a colon', (text) => text.replace(':', ': ')],
  ['a line at the end', (text) => `${text}\n`],
  ['a space at the start', (text) => ` ${text}`],
  ['a byte order mark', (text) => `\ufeff${text}`],
  ['keys in another order', reversedKeys],
  ['a key twice', (text) => text.replace(/^\{("[^"]+":(?:"[^"]*"|\d+))/, (_, first: string) => `{${first},${first}`)],
  ['1.0 for 1', (text) => text.replace(/([:,[])(-?\d+)(?=[,}\]])/, '$1$2.0')],
  ['1e0 for 1', (text) => text.replace(/([:,[])(-?\d+)(?=[,}\]])/, '$1$2e0')],
  [
    'an escaped letter',
    (text) => text.replace(/"([a-z])/, (_, letter: string) => `"\\u00${letter.charCodeAt(0).toString(16)}`),
  ],
];

function reversedKeys(text: string): string {
  const write = (value: unknown): string => {
    if (Array.isArray(value)) return `[${value.map(write).join(',')}]`;
    if (typeof value !== 'object' || value === null) return JSON.stringify(value);
    const members = Object.entries(value).reverse();
    return `{${members.map(([key, member]) => `${quote(key)}:${write(member)}`).join(',')}}`;
  };
  return write(JSON.parse(text));
}

describe.each(SAMPLES)('a $name', ({ name, type, documents }) => {
  const valid = documents.map(canonicalBytes);

  test('comes back from its canonical encoding as it was', () => {
    documents.forEach((document, i) => {
      expect(decodeCanonical(type, valid[i]!, { what: name })).toEqual(document);
      expect(decodeDocument(type, valid[i]!, { what: name })).toEqual(document);
    });
  });

  test.each(variants)('in an encoding with %s is refused', (_, vary) => {
    for (const document of documents) {
      const text = canonicalText(document);
      const varied = vary(text);
      if (varied === text) continue; // It has no number, or one key alone.
      expect(total(() => decodeCanonical(type, Buffer.from(varied), { what: name }))).toMatchObject({
        error: { kind: 'Misuse' },
      });
    }
  });

  test('with a key too many is refused', () => {
    for (const document of documents) {
      const extended = { ...(document as object), unheardOf: 1 };
      expect(total(() => decodeDocument(type, canonicalText(extended), { what: name }))).toHaveProperty('error');
    }
  });

  test('mutated decodes to what encodes to the same bytes, or ends in one of our errors', () => {
    fc.assert(
      fc.property(fc.oneof(mutations(valid), documentMutations(documents)), (bytes) => {
        const decoded = total(() => decodeCanonical(type, bytes, { what: name }));
        if ('value' in decoded) expect(Buffer.from(canonicalBytes(decoded.value))).toEqual(Buffer.from(bytes));
        total(() => decodeDocument(type, bytes, { what: name }));
      }),
      { numRuns: 250 },
    );
  });
});

describe('a document that attacks the decoder', () => {
  const deep: readonly [string, string][] = [
    ['arrays', '['.repeat(200_000) + ']'.repeat(200_000)],
    ['negations', '{"not":'.repeat(100_000) + '{"column":"a","isNull":true}' + '}'.repeat(100_000)],
  ];
  test.each(deep)('by depth (%s) is refused', (_, text) => {
    for (const { name, type } of SAMPLES.slice(0, 3)) {
      expect(total(() => decodeDocument(type, text, { what: name, limit: 1 << 22 }))).toHaveProperty('error');
    }
  });

  test('by depth within what is allowed is read', () => {
    const { type } = SAMPLES.find(({ name }) => name === 'predicate')!;
    const text = '{"not":'.repeat(90) + '{"column":"a","isNull":true}' + '}'.repeat(90);
    expect(total(() => decodeCanonical(type, text, { what: 'predicate' }))).toHaveProperty('value');
  });

  test('by an exponential number of alternatives does not take long', { timeout: 20_000 }, () => {
    const { type } = SAMPLES.find(({ name }) => name === 'predicate')!;
    let text = '{"column":"a","eq":{}}';
    for (let level = 0; level < 40; level++)
      text = `{"all":[${text}],"any":[${text.length < 50_000 ? text : '{}'}],"not":{}}`;
    expect(total(() => decodeDocument(type, text, { what: 'predicate' }))).toHaveProperty('error');
  });

  test.each(['__proto__', 'constructor', 'toString'])('by a key %s is read as any other key, or refused', (key) => {
    const { type } = SAMPLES.find(({ name }) => name === 'query')!;
    const text = `{"dataset":"heart@1","derive":{"${key}":{"column":"a","isNull":true}},"purpose":"GRU","release":{"insiderRule":false,"minimumCell":1,"minimumHospitals":2,"zeroCells":"open"},"statistics":[{"count":{}}]}`;
    const decoded = total(() => decodeDocument(type, text, { what: 'query' }));
    if ('value' in decoded) expect(canonicalText(decoded.value)).toBe(text);
  });

  test('by a lone surrogate is refused', () => {
    const { type } = SAMPLES.find(({ name }) => name === 'query')!;
    const text = String.raw`{"dataset":"heart@1","purpose":"GRU","release":{"insiderRule":false,"minimumCell":1,"minimumHospitals":2,"zeroCells":"open"},"statistics":[{"count":{}}],"title":"\ud800"}`;
    expect(total(() => decodeCanonical(type, text, { what: 'query' }))).toMatchObject({ error: { code: 'MALFORMED' } });
  });

  test('is not quoted in the error', () => {
    for (const { name, type, documents } of SAMPLES) {
      const secret = 'sentinel-93817';
      const text = canonicalText(documents[0]).replace(/"[0-9a-f]{64}"|"[a-z-]+"(?=[,}\]])|\d+(?=[,}])/, quote(secret));
      const decoded = total(() => decodeDocument(type, text, { what: name }));
      if ('error' in decoded) expect(decoded.error.message).not.toContain(secret);
    }
  });
});
