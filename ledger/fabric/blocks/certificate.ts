import { createHash, X509Certificate } from 'node:crypto';
import { readElements, readSequence, TAG, type Element } from './der.ts';

/** An X.509 certificate with what Fabric's membership rules ask of it. */
export class Certificate {
  readonly x509: X509Certificate;
  readonly raw: Buffer;
  readonly #fields: Element[];

  /** Throws for anything but one PEM or DER certificate. */
  constructor(encoded: Uint8Array) {
    this.x509 = new X509Certificate(encoded);
    this.raw = this.x509.raw;
    const tbs = readElements(readSequence(this.raw)[0]!.content);
    // The explicit version tag comes first in every certificate but those of version 1.
    this.#fields = tbs[0]?.tag === 0xa0 ? tbs.slice(1) : tbs;
  }

  get serialNumber(): bigint {
    return BigInt(`0x${this.x509.serialNumber}`);
  }
  /** Organisational units of the subject, as they stand. */
  get units(): readonly string[] {
    const units: string[] = [];
    for (const set of readElements(this.#fields[4]!.content)) {
      for (const attribute of readElements(set.content)) {
        const [type, value] = readElements(attribute.content);
        if (Buffer.from(type!.content).toString('hex') === OU) units.push(Buffer.from(value!.content).toString('utf8'));
      }
    }
    return units;
  }
  /** Undefined where the certificate has no such extension. */
  get subjectKeyId(): Uint8Array | undefined {
    const value = this.extension('551d0e');
    return value === undefined ? undefined : readElements(value)[0]!.content;
  }
  /** Value of an extension by its object identifier (DER content, hexadecimal). */
  extension(oid: string): Uint8Array | undefined {
    const list = this.#fields.find(({ tag }) => tag === 0xa3);
    if (list === undefined) return undefined;
    for (const each of readSequence(list.content)) {
      const parts = readElements(each.content);
      if (Buffer.from(parts[0]!.content).toString('hex') === oid) return parts.at(-1)!.content;
    }
    return undefined;
  }
  /** Whether `issuer`'s key signed this certificate under the issuer's name. */
  isIssuedBy(issuer: Certificate): boolean {
    return this.x509.checkIssued(issuer.x509) && this.x509.verify(issuer.x509.publicKey);
  }
  isValidAt(time: number): boolean {
    return this.x509.validFromDate.getTime() <= time && time <= this.x509.validToDate.getTime();
  }
}

const OU = '55040b';

/** How Fabric names a chain of authorities: the hash of their certificates, from the issuer to the root. */
export function chainId(chain: readonly Certificate[]): string {
  const hash = createHash('sha256');
  for (const { raw } of chain) hash.update(raw);
  return hash.digest('hex');
}

export interface RevocationList {
  /** Key identifier of the authority that speaks. */
  readonly authority: Uint8Array | undefined;
  readonly revoked: ReadonlySet<bigint>;
  readonly signed: Uint8Array;
  readonly signature: Uint8Array;
}

/** Reads a certificate revocation list (RFC 5280, section 5) in PEM or DER. Its signature is checked by the reader. */
export function readRevocationList(encoded: Uint8Array): RevocationList {
  const text = Buffer.from(encoded).toString('latin1');
  const pem = /-----BEGIN X509 CRL-----([^-]*)-----END X509 CRL-----/.exec(text);
  const [body, , signature] = readSequence(pem === null ? encoded : Buffer.from(pem[1]!, 'base64'));
  const fields = readElements(body!.content);
  const revoked = new Set<bigint>();
  // version?, algorithm, issuer, thisUpdate, nextUpdate?, revokedCertificates?, [0] extensions?
  const after = fields.slice(fields[0]!.tag === TAG.integer ? 4 : 3);
  for (const list of after.filter(({ tag }) => tag === TAG.sequence)) {
    for (const each of readElements(list.content)) {
      revoked.add(BigInt(`0x${Buffer.from(readElements(each.content)[0]!.content).toString('hex')}`));
    }
  }
  const extensions = after.find(({ tag }) => tag === 0xa0);
  const authority = extensions === undefined ? undefined : authorityKeyId(extensions.content);
  return { authority, revoked, signed: body!.whole, signature: signature!.content.subarray(1) };
}

function authorityKeyId(extensions: Uint8Array): Uint8Array | undefined {
  for (const each of readSequence(extensions)) {
    const parts = readElements(each.content);
    if (Buffer.from(parts[0]!.content).toString('hex') !== '551d23') continue;
    return readSequence(parts.at(-1)!.content).find(({ tag }) => tag === 0x80)?.content;
  }
  return undefined;
}
