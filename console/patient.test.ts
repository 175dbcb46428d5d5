import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  signAccess,
  signConsent,
  verifyConsent,
  type AccessStatement,
  type ConsentStatement,
} from '../protocol/consent.ts';
import { Identity } from '../protocol/identity.ts';
import { KeyProblem, makeKey, readKey, type KeyFile } from './patient/key.ts';
import { inWords, signStatement } from './patient/statement.ts';

const base = { consortium: 'a'.repeat(64), sequence: 1 };

describe('what the patient’s page signs', () => {
  const names = fc.array(fc.string({ unit: 'binary', minLength: 1, maxLength: 12 }), { minLength: 1, maxLength: 5 });

  it('is what the command line signs, byte for byte', async () => {
    const identity = Identity.generate();
    const key = await readKey(identity.toPem(), '');
    expect(key.publicKey).toBe(identity.publicKey);
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom('grant' as const, 'withdraw' as const),
        fc.oneof(fc.constant('*' as const), names),
        fc.oneof(fc.constant('*' as const), names),
        fc.nat(),
        async (decision, purposes, hospitals, sequence) => {
          const who = { ...base, sequence, patient: identity.publicKey };
          const statement: ConsentStatement = { ...who, decision, dataset: 'visits', purposes, hospitals };
          expect(await signStatement(key, { kind: 'consent', statement })).toEqual({
            kind: 'consent',
            ...signConsent(identity, statement),
          });
        },
      ),
    );
    const statement: AccessStatement = {
      ...{ ...base, patient: identity.publicKey, decision: 'grant', until: '2027-01-31' },
      ...{ doctor: 'd'.repeat(64), hospital: 'north' },
    };
    expect(await signStatement(key, { kind: 'access', statement })).toEqual({
      kind: 'access',
      ...signAccess(identity, statement),
    });
  });

  it('by a key made there, verifies', async () => {
    const key = await makeKey();
    const statement: ConsentStatement = {
      ...{ ...base, patient: key.publicKey },
      ...{ decision: 'grant', dataset: '*', purposes: ['GRU'], hospitals: '*' },
    };
    const signed = await signStatement(key, { kind: 'consent', statement });
    expect(signed.kind === 'consent' && verifyConsent(signed)).toBe(true);
  });

  it('is said in words that leave nothing out', () => {
    const use = { dataset: 'visits', purposes: ['GRU', 'HMB'], hospitals: ['north'] };
    const words = inWords({ kind: 'consent', statement: { decision: 'withdraw', ...use } });
    for (const part of [/withdraw/, /visits/, /GRU, HMB/, /north/, /next epoch/]) expect(words).toMatch(part);
    const all = { dataset: '*', purposes: '*', hospitals: '*' } as const;
    expect(inWords({ kind: 'consent', statement: { decision: 'grant', ...all } })).toMatch(
      /every dataset.*every purpose.*every hospital/,
    );
    const whom = { doctor: 'd'.repeat(64), hospital: 'north' };
    const granted = inWords({ kind: 'access', statement: { decision: 'grant', ...whom, until: '2027-01-31' } });
    for (const part of ['d'.repeat(64), 'north', '2027-01-31']) expect(granted).toContain(part);
    expect(inWords({ kind: 'access', statement: { decision: 'revoke', ...whom } })).toMatch(/revoke.*north/);
  });
});

describe('a key file', () => {
  it('opens with its passphrase alone, however that was typed', async () => {
    const key = await makeKey();
    const text = await key.seal('Zürich im Regen');
    expect((await readKey(text, 'Zu\u0308rich im Regen')).publicKey).toBe(key.publicKey);
    await expect(readKey(text, 'Zürich im regen')).rejects.toThrow(KeyProblem);
    expect(await key.seal('Zürich im Regen')).not.toBe(text);
  });

  it('opens only as it was written', async () => {
    const file = JSON.parse(await (await makeKey()).seal('a good passphrase')) as KeyFile;
    expect(file.iterations).toBe(600_000);
    const flip = (hex: string): string => (hex.startsWith('0') ? '1' : '0') + hex.slice(1);
    const other = (await makeKey()).publicKey;
    for (const change of [
      { publicKey: other },
      { data: flip(file.data) },
      { iv: flip(file.iv) },
      { salt: flip(file.salt) },
      { iterations: 1 },
    ]) {
      const changed = JSON.stringify({ ...file, ...change });
      await expect(readKey(changed, 'a good passphrase'), JSON.stringify(change)).rejects.toThrow(KeyProblem);
    }
  });

  it.each([
    ['nothing', ''],
    ['null', 'null'],
    ['another document', '{}'],
    ['a PEM of nothing', '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----'],
    ['a PEM that does not end', '-----BEGIN PRIVATE KEY-----\nAAAA'],
    [
      'too many rounds',
      JSON.stringify({
        format: 'healthchain-patient-key/1',
        publicKey: 'aa',
        iterations: 1e9,
        salt: 'aa',
        iv: 'aa',
        data: 'aa',
      }),
    ],
  ])('is not %s', async (_, text) => {
    await expect(readKey(text, 'a good passphrase')).rejects.toThrow(KeyProblem);
  });
});
