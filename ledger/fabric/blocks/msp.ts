import { verify } from 'node:crypto';
import { msp } from '@hyperledger/fabric-protos';
import { Certificate, chainId, readRevocationList, type RevocationList } from './certificate.ts';
import { decode, decodeExactly } from './encoding.ts';
import { verifyFabricSignature } from './signature.ts';

/** A member of an organisation of the channel, proved by its certificate. */
export interface MemberIdentity {
  readonly mspId: string;
  readonly certificate: Certificate;
  /** Hash of the authorities over it, from its issuer to the root. */
  readonly chain: string;
}

type Role = 'CLIENT' | 'PEER' | 'ADMIN' | 'ORDERER';

interface Unit {
  readonly name: string;
  /** Required chain of authorities; any where undefined. */
  readonly chain: string | undefined;
}

/**
 * One organisation's membership service as the channel's configuration defines it: which certificates are its members, and
 * what they are. The same rules as Fabric's (msp/mspimpl*.go, version 1.4.3): one chain of authorities from the certificate to a
 * root, whose validity counts at the time the certificate was made, not now (else the past would change); no
 * authority as member; revocation lists; exactly one of the roles that organisational units name.
 */
export class Msp {
  readonly id: string;
  readonly #roots: readonly Certificate[];
  readonly #intermediates: readonly Certificate[];
  /** Authorities that authorised other authorities, and so no members. */
  readonly #inner = new Set<Certificate>();
  readonly #revocations: readonly RevocationList[];
  readonly #admins: readonly Certificate[];
  readonly #units: readonly Unit[];
  readonly #roles: ReadonlyMap<Role, Unit> | undefined;
  readonly #known = new Map<string, MemberIdentity | string>();

  constructor(config: msp.FabricMSPConfig) {
    this.id = config.getName();
    this.#roots = config.getRootCertsList_asU8().map((each) => new Certificate(each));
    this.#intermediates = config.getIntermediateCertsList_asU8().map((each) => new Certificate(each));
    for (const authority of this.#intermediates)
      for (const chain of this.#chains(authority, authorityTime(authority)))
        for (const parent of chain.slice(1)) this.#inner.add(parent);
    this.#revocations = config.getRevocationListList_asU8().map(readRevocationList);
    this.#admins = config.getAdminsList_asU8().map((each) => new Certificate(each));
    this.#units = config.getOrganizationalUnitIdentifiersList().map((each) => this.#unit(each));
    this.#roles = this.#readRoles(config.getFabricNodeOus());
  }

  /** The member that a certificate proves, or why it proves none. */
  member(encoded: Uint8Array): MemberIdentity | string {
    const key = Buffer.from(encoded).toString('latin1');
    let found = this.#known.get(key);
    if (found === undefined) this.#known.set(key, (found = this.#examine(encoded)));
    return found;
  }

  /** Whether a member fits a principal of a policy. */
  satisfies(member: MemberIdentity, principal: msp.MSPPrincipal): boolean {
    const bytes = principal.getPrincipal_asU8();
    switch (principal.getPrincipalClassification()) {
      case msp.MSPPrincipal.Classification.ROLE: {
        const role = decode(msp.MSPRole, bytes, 'a role');
        return role.getMspIdentifier() === this.id && member.mspId === this.id && this.#hasRole(member, role.getRole());
      }
      case msp.MSPPrincipal.Classification.ORGANIZATION_UNIT: {
        const unit = decode(msp.OrganizationUnit, bytes, 'an organisational unit');
        if (unit.getMspIdentifier() !== this.id || member.mspId !== this.id) return false;
        if (member.chain !== Buffer.from(unit.getCertifiersIdentifier_asU8()).toString('hex')) return false;
        return member.certificate.units.includes(unit.getOrganizationalUnitIdentifier());
      }
      case msp.MSPPrincipal.Classification.IDENTITY: {
        const identity = decode(msp.SerializedIdentity, bytes, 'an identity');
        if (identity.getMspid() !== member.mspId) return false;
        return sameCertificate(member.certificate, identity.getIdBytes_asU8());
      }
      case msp.MSPPrincipal.Classification.COMBINED: {
        const parts = decode(msp.CombinedPrincipal, bytes, 'a combined principal').getPrincipalsList();
        return parts.length > 0 && parts.every((part) => this.satisfies(member, part));
      }
      default:
        return false;
    }
  }

  #hasRole(member: MemberIdentity, role: msp.MSPRole.MSPRoleTypeMap[keyof msp.MSPRole.MSPRoleTypeMap]): boolean {
    const { MSPRoleType } = msp.MSPRole;
    switch (role) {
      case MSPRoleType.MEMBER:
        return true;
      case MSPRoleType.ADMIN:
        return this.#admins.some(({ raw }) => raw.equals(member.certificate.raw)) || this.#hasUnitOf(member, 'ADMIN');
      case MSPRoleType.CLIENT:
        return this.#hasUnitOf(member, 'CLIENT');
      case MSPRoleType.PEER:
        return this.#hasUnitOf(member, 'PEER');
      case MSPRoleType.ORDERER:
        return this.#hasUnitOf(member, 'ORDERER');
      default:
        return false;
    }
  }

  #hasUnitOf(member: MemberIdentity, role: Role): boolean {
    const unit = this.#roles?.get(role);
    return unit !== undefined && member.certificate.units.includes(unit.name);
  }

  #examine(encoded: Uint8Array): MemberIdentity | string {
    let certificate: Certificate;
    try {
      certificate = new Certificate(encoded);
      if (certificate.x509.ca) return 'an authority, which cannot be a member';
    } catch {
      return 'no X.509 certificate';
    }
    const [chain, ...others] = this.#chains(certificate, authorityTime(certificate));
    if (chain === undefined) return `not issued by an authority of ${this.id}`;
    if (others.length > 0) return `issued under more than one chain of authorities of ${this.id}`;
    const [, issuer] = chain;
    if (issuer === undefined || this.#inner.has(issuer)) return 'issued by an authority that only authorises others';
    if (this.#isRevoked(certificate, issuer)) return 'revoked';
    const member = { mspId: this.id, certificate, chain: chainId(chain.slice(1)) };
    return this.#unitsFault(member) ?? member;
  }

  /** Every way from a certificate up to a root, itself first. */
  #chains(certificate: Certificate, time: number): Certificate[][] {
    if (!certificate.isValidAt(time)) return [];
    if (this.#roots.some(({ raw }) => raw.equals(certificate.raw))) return [[certificate]];
    const authorities = [...this.#roots, ...this.#intermediates];
    return authorities
      .filter(
        (authority) => !authority.raw.equals(certificate.raw) && authority.x509.ca && certificate.isIssuedBy(authority),
      )
      .flatMap((authority) => this.#chains(authority, time).map((chain) => [certificate, ...chain]));
  }

  #isRevoked(certificate: Certificate, issuer: Certificate): boolean {
    const id = issuer.subjectKeyId;
    return this.#revocations.some(
      ({ authority, revoked, signed, signature }) =>
        id !== undefined &&
        authority !== undefined &&
        Buffer.from(authority).equals(id) &&
        revoked.has(certificate.serialNumber) &&
        verify('sha256', signed, issuer.x509.publicKey, signature),
    );
  }

  #unitsFault({ certificate, chain }: MemberIdentity): string | undefined {
    const has = (unit: Unit): boolean => certificate.units.includes(unit.name);
    if (this.#units.length > 0 && !this.#units.some((unit) => has(unit) && (unit.chain ?? chain) === chain))
      return `of no organisational unit of ${this.id}`;
    if (this.#roles === undefined) return undefined;
    const named = [...this.#roles.values()].filter(has);
    if (named.some((unit) => unit.chain !== undefined && unit.chain !== chain))
      return 'of a role that another authority gives';
    return named.length === 1 ? undefined : `of ${named.length} roles where every member has one`;
  }

  #readRoles(config: msp.FabricNodeOUs | undefined): ReadonlyMap<Role, Unit> | undefined {
    if (config === undefined || !config.getEnable()) return undefined;
    const entries: [Role, msp.FabricOUIdentifier | undefined][] = [
      ['CLIENT', config.getClientOuIdentifier()],
      ['PEER', config.getPeerOuIdentifier()],
      ['ADMIN', config.getAdminOuIdentifier()],
      ['ORDERER', config.getOrdererOuIdentifier()],
    ];
    return new Map(entries.flatMap(([role, unit]) => (unit === undefined ? [] : [[role, this.#unit(unit)] as const])));
  }

  #unit(config: msp.FabricOUIdentifier): Unit {
    const name = config.getOrganizationalUnitIdentifier();
    const encoded = config.getCertificate_asU8();
    if (encoded.length === 0) return { name, chain: undefined };
    const authority = new Certificate(encoded);
    const [chain = []] = this.#chains(authority, authorityTime(authority));
    return { name, chain: chainId(chain) };
  }
}

const authorityTime = (certificate: Certificate): number => certificate.x509.validFromDate.getTime() + 1000;

function sameCertificate(certificate: Certificate, encoded: Uint8Array): boolean {
  try {
    return certificate.raw.equals(new Certificate(encoded).raw);
  } catch {
    return false;
  }
}

export interface SignedData {
  /** An encoded `msp.SerializedIdentity`. */
  readonly identity: Uint8Array;
  readonly message: Uint8Array;
  readonly signature: Uint8Array;
}

/** Finds who signed. The answer is a text that says what is wrong, where nobody of the channel did. */
export function signer(msps: ReadonlyMap<string, Msp>, of: SignedData): MemberIdentity | string {
  let identity: msp.SerializedIdentity;
  try {
    identity = decodeExactly(msp.SerializedIdentity, of.identity, 'an identity');
  } catch {
    return 'an identity that does not decode';
  }
  const found = msps.get(identity.getMspid());
  if (found === undefined) return `an identity of ${JSON.stringify(identity.getMspid())}, which is not on the channel`;
  const member = found.member(identity.getIdBytes_asU8());
  if (typeof member === 'string') return `a certificate of ${found.id} that is ${member}`;
  return verifyFabricSignature(member.certificate.x509.publicKey, of.message, of.signature)
    ? member
    : `a signature of ${found.id} that does not verify`;
}
