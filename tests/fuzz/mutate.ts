import fc from 'fast-check';
import { expect } from 'vitest';
import { HealthchainError } from '../../protocol/errors.ts';

/** Result or a HealthchainError; anything else that is thrown fails the test. */
export function total<T>(call: () => T): { readonly value: T } | { readonly error: HealthchainError } {
  try {
    return { value: call() };
  } catch (error) {
    expect(error).toBeInstanceOf(HealthchainError);
    return { error: error as HealthchainError };
  }
}

type Edit = (bytes: Uint8Array) => Uint8Array;

const concat = (...parts: readonly Uint8Array[]): Uint8Array => new Uint8Array(Buffer.concat(parts));

/** One edit of a byte string at a relative place: flip, overwrite, cut, insert, repeat, drop a stretch. */
const edit: fc.Arbitrary<Edit> = fc
  .record({
    kind: fc.constantFrom('flip', 'set', 'cut', 'insert', 'repeat', 'drop'),
    place: fc.double({ min: 0, max: 0.9999, noNaN: true }),
    byte: fc.nat(255),
    text: fc.constantFrom(
      '"',
      '{',
      '[',
      ']',
      '}',
      ',',
      ' ',
      '1e999',
      '\\u0000',
      '\\ud800',
      '"__proto__":',
      '-0',
      'null',
      '\ufeff',
    ),
    length: fc.integer({ min: 1, max: 40 }),
  })
  .map(({ kind, place, byte, text, length }) => (bytes) => {
    const at = Math.floor(place * bytes.length);
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)];
    if (kind === 'flip') return bytes.length === 0 ? bytes : bytes.with(at, bytes[at]! ^ (1 << (byte & 7)));
    if (kind === 'set') return bytes.length === 0 ? bytes : bytes.with(at, byte);
    if (kind === 'cut') return before;
    if (kind === 'insert') return concat(before, Buffer.from(text), after);
    if (kind === 'repeat') return concat(before, after.subarray(0, length), after);
    return concat(before, after.subarray(length));
  });

/** Mutations of a valid encoding, one to four edits; and, now and then, bytes from nowhere. */
export const mutations = (valid: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> =>
  fc.oneof(
    {
      weight: 8,
      arbitrary: fc
        .tuple(fc.constantFrom(...valid), fc.array(edit, { minLength: 1, maxLength: 4 }))
        .map(([bytes, edits]) => edits.reduce<Uint8Array>((each, next) => next(each), bytes)),
    },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }) },
    { weight: 1, arbitrary: fc.json().map((text) => new Uint8Array(Buffer.from(text))) },
  );

/** What a member of a document is replaced by: of every JSON type, at the edges of what the types here allow. */
const oddities: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1.5, 2 ** 31, 2 ** 53, 1e300, [], {}, [[]], ''],
  ...[
    '0',
    '-0',
    '-',
    '1.',
    '1e3',
    'abc',
    '1.0000000001',
    '9'.repeat(18),
    '9'.repeat(40),
    'a'.repeat(64),
    'A'.repeat(64),
  ],
  ...[
    '\ud800',
    '\u0000',
    'é',
    '__proto__',
    'not a date',
    '2026-02-30T00:00:00Z',
    '=',
    'AAA',
    { column: 'a' },
    { not: {} },
  ],
];

/** Places of all members of a document, the top left out. */
function pathsOf(value: unknown, path: readonly string[] = []): (readonly string[])[] {
  const own = path.length === 0 ? [] : [path];
  if (typeof value !== 'object' || value === null) return own;
  return [...own, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))];
}

/** The document with the member at `path` changed by `change`; undefined removes it. */
function withMember(document: unknown, path: readonly string[], change: (old: unknown) => unknown): unknown {
  const copy = structuredClone(document) as Record<string, unknown>;
  const holder = path.slice(0, -1).reduce((at, key) => at[key] as Record<string, unknown>, copy);
  const last = path.at(-1)!;
  const changed = change(holder[last]);
  if (changed !== undefined) holder[last] = changed;
  else if (Array.isArray(holder)) holder.splice(Number(last), 1);
  else Reflect.deleteProperty(holder, last);
  return copy;
}

/** Valid documents with one to three members replaced, removed or altered by a letter: JSON throughout, so that it is the shape that is tested. */
export const documentMutations = (documents: readonly unknown[]): fc.Arbitrary<Uint8Array> =>
  fc
    .tuple(
      fc.constantFrom(...documents),
      fc.array(
        fc.record({
          place: fc.nat(),
          odd: fc.constantFrom(...oddities),
          kind: fc.constantFrom('replace', 'letter', 'remove'),
        }),
        { minLength: 1, maxLength: 3 },
      ),
    )
    .map(([document, changes]) => {
      let changed: unknown = document;
      for (const { place, odd, kind } of changes) {
        const paths = pathsOf(changed);
        if (paths.length === 0) continue;
        changed = withMember(changed, paths[place % paths.length]!, (old) => {
          if (kind === 'remove') return undefined;
          return kind === 'letter' && typeof old === 'string' ? `${old.slice(0, -1)}x` : odd;
        });
      }
      return new Uint8Array(Buffer.from(JSON.stringify(changed)));
    });
