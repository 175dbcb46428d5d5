import { describe, expect, test } from 'vitest';
import { Identity } from './identity.ts';
import { checkProof, CLOCK_TOLERANCE, proveRequest, type SignedRequest } from './request.ts';

const member = { organisation: 'heart-lab', identity: Identity.generate() };
const request: SignedRequest = { method: 'POST', target: '/v1/queries?x=1', body: Buffer.from('{"a":1}') };
const now = 1_700_000_000_000;
const proof = (): string => proveRequest(member, request, now);
const refused = (code: string): Error => expect.objectContaining({ kind: 'Refusal', code }) as Error;

describe('a signed request', () => {
  test('proves organisation and key, with a fresh nonce each time', () => {
    const checked = checkProof(proof(), request, now);
    expect(checked).toMatchObject({
      organisation: 'heart-lab',
      publicKey: member.identity.publicKey,
      time: now / 1000,
    });
    expect(checkProof(proof(), request, now).nonce).not.toBe(checked.nonce);
  });

  test.each([
    ['method', { method: 'PUT' }],
    ['path', { target: '/v1/answers?x=1' }],
    ['query string', { target: '/v1/queries?x=2' }],
    ['body', { body: Buffer.from('{"a":2}') }],
    ['empty body', { body: new Uint8Array() }],
  ])('with another %s does not verify', (_, change) => {
    expect(() => checkProof(proof(), { ...request, ...change }, now)).toThrow(refused('BAD_SIGNATURE'));
  });

  test.each([
    ['organisation', 0, 'other-lab'],
    ['key', 1, Identity.generate().publicKey],
    ['time', 2, String(now / 1000 + 1)],
    ['nonce', 3, '0'.repeat(32)],
    ['signature', 4, '0'.repeat(128)],
  ])('with its %s replaced does not verify', (_, field, value) => {
    const changed = proof().split(' ').with(field, value).join(' ');
    expect(() => checkProof(changed, request, now)).toThrow(refused('BAD_SIGNATURE'));
  });

  test('is taken within the tolerance of the clock, either way, and not a second beyond', () => {
    for (const sign of [1, -1]) {
      const at = (seconds: number) => () => checkProof(proof(), request, now + sign * 1000 * seconds);
      expect(at(CLOCK_TOLERANCE)).not.toThrow();
      expect(at(CLOCK_TOLERANCE + 1)).toThrow(refused('REPLAY'));
    }
  });

  test.each([undefined, '', 'x', 'A b c d e'])('with the header %j is refused', (header) => {
    expect(() => checkProof(header, request, now)).toThrow(refused('BAD_SIGNATURE'));
  });
  test('with anything before or after its header is refused', () => {
    for (const header of [` ${proof()}`, `${proof()} `, `${proof()}\n`, proof().replace(' ', '  ')])
      expect(() => checkProof(header, request, now)).toThrow(refused('BAD_SIGNATURE'));
  });
});
