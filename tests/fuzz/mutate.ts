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
