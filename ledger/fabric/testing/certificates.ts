import { createHash, generateKeyPairSync, sign, type KeyObject } from 'node:crypto';
import { element, integer, readSequence, TAG, toBigInt } from '../blocks/der.ts';
import { ORDERS } from '../blocks/signature.ts';

/** A certificate made for a test, with its key. */
export interface Made {
  readonly name: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly keyId: Uint8Array;
  readonly serial: number;
  readonly pem: Uint8Array;
}

export interface MadeOptions {
  readonly units?: readonly string[];
  readonly authority?: boolean;
  /** Milliseconds since 1970. */
  readonly from?: number;
  readonly to?: number;
  /** Value of the attribute extension of Fabric CA. */
  readonly attributes?: object;
}

const OID = { ecdsaWithSha256: '2a8648ce3d040302', commonName: '550403', unit: '55040b', basic: '551d13' };
const KEY_ID = { subject: '551d0e', authority: '551d23' };
const oid = (hex: string): Uint8Array => element(TAG.oid, Buffer.from(hex, 'hex'));
const sequence = (...parts: readonly Uint8Array[]): Uint8Array => element(TAG.sequence, ...parts);
const text = (value: string): Uint8Array => element(0x0c, Buffer.from(value));
const octets = (value: Uint8Array): Uint8Array => element(TAG.octets, value);
const ALGORITHM = sequence(oid(OID.ecdsaWithSha256));

const time = (milliseconds: number): Uint8Array => {
  const iso = new Date(milliseconds).toISOString();
  return element(0x18, Buffer.from(`${iso.slice(0, 19).replace(/[-T:]/g, '')}Z`));
};
const nameOf = (commonName: string, units: readonly string[]): Uint8Array =>
  sequence(
    ...units.map((unit) => element(TAG.set, sequence(oid(OID.unit), text(unit)))),
    element(TAG.set, sequence(oid(OID.commonName), text(commonName))),
  );
const extension = (id: string, value: Uint8Array): Uint8Array => sequence(oid(id), octets(value));

let serials = 1000;
const DAY = 24 * 3600_000;
export const YEAR = 365 * DAY;
const NOW = Date.UTC(2026, 0, 1);

/** Makes a certificate that `issuer` signs, or its own root. */
export function makeCertificate(name: string, issuer: Made | undefined, options: MadeOptions = {}): Made {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const keyId = createHash('sha1').update(spki).digest();
  const { units = [], authority = issuer === undefined, from = NOW, to = NOW + YEAR, attributes } = options;
  const serial = serials++;
  const extensions = [
    ...(authority ? [extension(OID.basic, sequence(element(0x01, Uint8Array.of(0xff))))] : []),
    extension(KEY_ID.subject, octets(keyId)),
    extension(KEY_ID.authority, sequence(element(0x80, issuer?.keyId ?? keyId))),
    ...(attributes === undefined ? [] : [extension('2a03040506070801', Buffer.from(JSON.stringify(attributes)))]),
  ];
  const body = sequence(
    element(0xa0, integer(2)),
    integer(serial),
    ALGORITHM,
    nameOf(issuer?.name ?? name, issuer === undefined ? units : []),
    sequence(time(from), time(to)),
    nameOf(name, units),
    spki,
    element(0xa3, sequence(...extensions)),
  );
  const made = { name, privateKey, publicKey, keyId, serial };
  return { ...made, pem: pem('CERTIFICATE', signed(body, issuer?.privateKey ?? privateKey)) };
}

/** A revocation list of an authority. */
export function makeRevocations(authority: Made, revoked: readonly Made[], signer: Made = authority): Uint8Array {
  const list = revoked.map(({ serial }) => sequence(integer(serial), time(NOW)));
  const authorityKey = extension(KEY_ID.authority, sequence(element(0x80, authority.keyId)));
  const body = sequence(
    integer(1),
    ALGORITHM,
    nameOf(authority.name, []),
    time(NOW),
    time(NOW + YEAR),
    sequence(...list),
    element(0xa0, sequence(authorityKey)),
  );
  return pem('X509 CRL', signed(body, signer.privateKey));
}

/** Signs as Fabric's own programs do; `high` makes the other signature that verifies. */
export function signAs({ privateKey }: Made, message: Uint8Array, { high = false } = {}): Uint8Array {
  const [r, s] = readSequence(sign('sha256', message, privateKey)).map(({ content }) => toBigInt(content));
  const order = ORDERS['prime256v1']!;
  const low = s! > order / 2n ? order - s! : s!;
  return sequence(integer(r!), integer(high ? order - low : low));
}

function signed(body: Uint8Array, key: KeyObject): Uint8Array {
  return sequence(body, ALGORITHM, element(TAG.bitString, Uint8Array.of(0), sign('sha256', body, key)));
}

function pem(label: string, der: Uint8Array): Uint8Array {
  const lines = Buffer.from(der)
    .toString('base64')
    .replace(/.{64}(?=.)/g, '$&\n');
  return Buffer.from(`-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`);
}
