import { createPrivateKey, sign, X509Certificate, type KeyObject } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { decodeDocument } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import type { FabricAddress } from '../address.ts';
import { attributeOf } from './attributes.ts';
import { Certificate } from './blocks/certificate.ts';
import { element, integer, TAG } from './blocks/der.ts';
import { ORDERS } from './blocks/signature.ts';

/** An identity of an MSP, able to sign. */
export interface ChannelIdentity {
  readonly mspId: string;
  /** PEM. */
  readonly certificate: Uint8Array;
  readonly expires: Date;
  /** What the certificate says of the organisation it is enrolled for, if anything. */
  readonly organisation: string | undefined;
  /** Signs a message as Fabric's peers verify it. */
  sign(message: Uint8Array): Uint8Array;
}

/** A file of Fabric's file system wallet. */
const walletFile = z.object({
  type: z.literal('X.509'),
  mspId: z.string(),
  credentials: z.object({ certificate: z.string(), privateKey: z.string() }),
});

/** Reads the configured identity. Errors: `Misuse BAD_FILE`, `BAD_KEY`, `BAD_CONFIG`. */
export function readChannelIdentity({ mspId, identity }: Pick<FabricAddress, 'mspId' | 'identity'>): ChannelIdentity {
  if ('label' in identity) {
    const path = join(identity.walletFolder, `${identity.label}.id`);
    const stored = decodeDocument(walletFile, read(path), { what: path, code: 'BAD_FILE' });
    if (stored.mspId !== mspId)
      throw new Misuse('BAD_CONFIG', `${path} holds an identity of ${stored.mspId}, not of ${mspId}`, {
        hint: 'Name the MSP of the identity, or another label.',
      });
    return makeIdentity({ mspId, ...stored.credentials, what: path });
  }
  const { certFile, keyFile } = identity;
  return makeIdentity({ mspId, certificate: read(certFile), privateKey: read(keyFile), what: certFile });
}

function makeIdentity(of: { mspId: string; certificate: string; privateKey: string; what: string }): ChannelIdentity {
  const { mspId, certificate, privateKey, what } = of;
  let x509: X509Certificate;
  let key: KeyObject;
  try {
    x509 = new X509Certificate(certificate);
    key = createPrivateKey(privateKey);
  } catch (cause) {
    throw new Misuse('BAD_KEY', `${what}: not a certificate and its private key in PEM`, {
      hint: 'Give the files of the MSP identity: signcerts and keystore, as Fabric CA and cryptogen write them.',
      cause,
    });
  }
  if (!x509.checkPrivateKey(key))
    throw new Misuse('BAD_KEY', `${what}: the private key is not that of the certificate`);
  return {
    mspId,
    certificate: Buffer.from(certificate),
    expires: x509.validToDate,
    organisation: attributeOf(new Certificate(x509.raw)),
    sign: signerOf(key, what),
  };
}

function signerOf(key: KeyObject, what: string): (message: Uint8Array) => Uint8Array {
  if (key.asymmetricKeyType === 'ed25519') return (message) => sign(null, message, key);
  const order = ORDERS[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || order === undefined)
    throw new Misuse('BAD_KEY', `${what}: a key that is neither ECDSA (P-256, P-384) nor Ed25519`);
  return (message) => {
    const signature = sign('sha256', message, { key, dsaEncoding: 'ieee-p1363' });
    const half = signature.length / 2;
    const [r, s] = [toBigInt(signature.subarray(0, half)), toBigInt(signature.subarray(half))];
    // Of the two signatures that verify, Fabric takes the one with the smaller s.
    return element(TAG.sequence, integer(r), integer(s > order / 2n ? order - s : s));
  };
}

const toBigInt = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`);

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Misuse('BAD_FILE', `${path} cannot be read`, {
      hint: 'Check ledger.fabric.identity in the configuration; paths count from its folder.',
      cause,
    });
  }
}
