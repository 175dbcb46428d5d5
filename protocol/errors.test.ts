import { describe, expect, test } from 'vitest';
import { Abort, asHealthchainError, errorFromRecord, Fault, Misuse, Refusal } from './errors.ts';

const detail = { hint: 'try again', party: 'anna', round: 'agree/0' };
const errors = [
  new Refusal('POLICY', 'no', detail),
  new Abort('EQUIVOCATION', 'two stories', detail),
  new Fault('DEADLINE', 'late'),
  new Misuse('BAD_QUERY', 'unclear'),
];

describe('an error', () => {
  test.each(errors)('of class $name crosses a process boundary as itself', (error) => {
    const again = errorFromRecord(error.toJSON());
    expect(again).toBeInstanceOf(error.constructor);
    expect(again.toJSON()).toEqual(error.toJSON());
  });
  test('does not take its cause or its stack along', () => {
    const error = new Fault('DISK', 'full', { cause: new Error('sentinel') });
    expect(JSON.stringify(error)).toBe('{"kind":"Fault","code":"DISK","message":"full"}');
  });
  test('of an unknown code or of another class’s code is an internal fault', () => {
    for (const code of ['NEW', 'POLICY', '__proto__'])
      expect(errorFromRecord({ kind: 'Abort', code, message: 'x' })).toMatchObject({ kind: 'Fault', code: 'INTERNAL' });
  });
  test('of our own passes through untouched, any other is wrapped', () => {
    const wrap = (cause: unknown): Fault => new Fault('INTERNAL', 'unexpected', { cause });
    expect(asHealthchainError(errors[0], wrap)).toBe(errors[0]);
    expect(asHealthchainError(new TypeError('x'), wrap)).toMatchObject({ code: 'INTERNAL' });
  });
});
