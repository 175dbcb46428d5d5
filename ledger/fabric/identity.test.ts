import { verify } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { temporaryFolder } from '../testing/folder.ts';
import { verifyFabricSignature } from './blocks/signature.ts';
import { readChannelIdentity } from './identity.ts';
import { makeCertificate, signAs } from './testing/certificates.ts';

const root = makeCertificate('ca', undefined);
const made = makeCertificate('user', root, { attributes: { attrs: { 'healthchain.organisation': 'north' } } });
const privateKey = made.privateKey.export({ type: 'pkcs8', format: 'pem' });
const certificate = Buffer.from(made.pem).toString();
const message = Buffer.from('a transaction');

let folder: string;
beforeEach(async () => {
  folder = await temporaryFolder();
});
const file = (name: string, content: string): string => {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};
const wallet = (content: object): { walletFolder: string; label: string } => {
  file('north.id', JSON.stringify(content));
  return { walletFolder: folder, label: 'north' };
};
const stored = { version: 1, type: 'X.509', mspId: 'NorthMSP', credentials: { certificate, privateKey } };

describe('an MSP identity', () => {
  it('is read from PEM files or from a wallet, and signs alike', () => {
    const identities = [
      { certFile: file('cert.pem', certificate), keyFile: file('key.pem', privateKey) },
      wallet(stored),
    ].map((identity) => readChannelIdentity({ mspId: 'NorthMSP', identity }));
    for (const identity of identities) {
      expect(identity).toMatchObject({ mspId: 'NorthMSP', organisation: 'north' });
      expect(identity.expires.toISOString().slice(0, 10)).toBe('2027-01-01');
      expect(verify('sha256', message, made.publicKey, identity.sign(message))).toBe(true);
    }
  });
  it('signs each time as Fabric takes it, with the smaller of the two numbers that would do', () => {
    const identity = readChannelIdentity({ mspId: 'NorthMSP', identity: wallet(stored) });
    for (let k = 0; k < 64; k++)
      expect(verifyFabricSignature(made.publicKey, message, identity.sign(message))).toBe(true);
    const high = signAs(made, message, { high: true });
    expect(verify('sha256', message, made.publicKey, high)).toBe(true);
    expect(verifyFabricSignature(made.publicKey, message, high)).toBe(false);
  });
  const readWithKey = (key: string) => () =>
    readChannelIdentity({
      mspId: 'NorthMSP',
      identity: wallet({ ...stored, credentials: { certificate, privateKey: key } }),
    });

  it.each([
    ['a key of another', () => root.privateKey.export({ type: 'pkcs8', format: 'pem' }), /not that of/],
    ['no key at all', () => 'nothing', /not a certificate and its private key/],
  ])('with %s is refused', (_name, key, message) => {
    expect(readWithKey(key())).toThrow(expect.objectContaining({ name: 'Misuse', code: 'BAD_KEY' }) as Error);
    expect(readWithKey(key())).toThrow(message);
  });
  it('of another MSP than the configured one, or of a missing file, is refused', () => {
    expect(() => readChannelIdentity({ mspId: 'SouthMSP', identity: wallet(stored) })).toThrow(
      /of NorthMSP, not of SouthMSP/,
    );
    const nowhere = { certFile: join(folder, 'no.pem'), keyFile: join(folder, 'no.pem') };
    expect(() => readChannelIdentity({ mspId: 'NorthMSP', identity: nowhere })).toThrow(
      expect.objectContaining({ code: 'BAD_FILE' }) as Error,
    );
  });
});
