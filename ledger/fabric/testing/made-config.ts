import { common, msp, orderer } from '@hyperledger/fabric-protos';
import { makeCertificate, type Made } from './certificates.ts';

/** An organisation of a channel that exists in a test alone. */
export interface MadeOrganisation {
  readonly id: string;
  readonly root: Made;
  /** Signs the members: the root, or an authority below it. */
  readonly authority: Made;
  readonly peer: Made;
  readonly user: Made;
  readonly admin: Made;
  readonly orderer: Made;
  readonly revocations: Uint8Array[];
}

export function makeOrganisation(id: string, { intermediate = false } = {}): MadeOrganisation {
  const root = makeCertificate(`ca.${id}`, undefined);
  const authority = intermediate ? makeCertificate(`ica.${id}`, root, { authority: true }) : root;
  const member = (unit: string): Made => makeCertificate(`${unit}.${id}`, authority, { units: [unit] });
  const [peer, user, admin, orderer] = ['peer', 'client', 'admin', 'orderer'].map(member);
  return { id, root, authority, peer: peer!, user: user!, admin: admin!, orderer: orderer!, revocations: [] };
}

export const serialized = ({ id }: { id: string }, { pem }: Made): Uint8Array => {
  const identity = new msp.SerializedIdentity();
  identity.setMspid(id);
  identity.setIdBytes(pem);
  return identity.serializeBinary();
};

type Role = keyof msp.MSPRole.MSPRoleTypeMap;
const { Rule } = common.ImplicitMetaPolicy;

const policy = (type: common.Policy.PolicyTypeMap[keyof common.Policy.PolicyTypeMap], value: Uint8Array) => {
  const made = new common.Policy();
  made.setType(type);
  made.setValue(value);
  const entry = new common.ConfigPolicy();
  entry.setPolicy(made);
  entry.setModPolicy('Admins');
  return entry;
};

/** n of these principals. */
export function outOf(n: number, principals: readonly msp.MSPPrincipal[]): common.ConfigPolicy {
  const envelope = new common.SignaturePolicyEnvelope();
  const choice = new common.SignaturePolicy.NOutOf();
  choice.setN(n);
  choice.setRulesList(
    principals.map((_, at) => {
      const rule = new common.SignaturePolicy();
      rule.setSignedBy(at);
      return rule;
    }),
  );
  const rule = new common.SignaturePolicy();
  rule.setNOutOf(choice);
  envelope.setRule(rule);
  envelope.setIdentitiesList([...principals]);
  return policy(common.Policy.PolicyType.SIGNATURE, envelope.serializeBinary());
}

export function rolePrincipal(id: string, role: Role): msp.MSPPrincipal {
  const content = new msp.MSPRole();
  content.setMspIdentifier(id);
  content.setRole(msp.MSPRole.MSPRoleType[role]);
  const principal = new msp.MSPPrincipal();
  principal.setPrincipalClassification(msp.MSPPrincipal.Classification.ROLE);
  principal.setPrincipal(content.serializeBinary());
  return principal;
}

export function identityPrincipal(of: { id: string }, certificate: Made): msp.MSPPrincipal {
  const principal = new msp.MSPPrincipal();
  principal.setPrincipalClassification(msp.MSPPrincipal.Classification.IDENTITY);
  principal.setPrincipal(serialized(of, certificate));
  return principal;
}

export function implicit(rule: keyof typeof Rule, sub: string): common.ConfigPolicy {
  const content = new common.ImplicitMetaPolicy();
  content.setRule(Rule[rule]);
  content.setSubPolicy(sub);
  return policy(common.Policy.PolicyType.IMPLICIT_META, content.serializeBinary());
}

export function value(bytes: Uint8Array): common.ConfigValue {
  const entry = new common.ConfigValue();
  entry.setValue(bytes);
  entry.setModPolicy('Admins');
  return entry;
}

export function group(of: {
  groups?: Readonly<Record<string, common.ConfigGroup>>;
  values?: Readonly<Record<string, common.ConfigValue>>;
  policies?: Readonly<Record<string, common.ConfigPolicy>>;
}): common.ConfigGroup {
  const made = new common.ConfigGroup();
  made.setModPolicy('Admins');
  for (const [name, each] of Object.entries(of.groups ?? {})) made.getGroupsMap().set(name, each);
  for (const [name, each] of Object.entries(of.values ?? {})) made.getValuesMap().set(name, each);
  for (const [name, each] of Object.entries(of.policies ?? {})) made.getPoliciesMap().set(name, each);
  return made;
}

function capabilities(name: string): common.ConfigValue {
  const made = new common.Capabilities();
  made.getCapabilitiesMap().set(name, new common.Capability());
  return value(made.serializeBinary());
}

/** An organisation's group, as its membership service stands. */
export function organisationGroup(of: MadeOrganisation): common.ConfigGroup {
  const config = new msp.FabricMSPConfig();
  config.setName(of.id);
  config.setRootCertsList([of.root.pem]);
  if (of.authority !== of.root) config.setIntermediateCertsList([of.authority.pem]);
  config.setRevocationListList(of.revocations);
  const unit = (name: string): msp.FabricOUIdentifier => {
    const made = new msp.FabricOUIdentifier();
    made.setOrganizationalUnitIdentifier(name);
    return made;
  };
  const roles = new msp.FabricNodeOUs();
  roles.setEnable(true);
  roles.setClientOuIdentifier(unit('client'));
  roles.setPeerOuIdentifier(unit('peer'));
  roles.setAdminOuIdentifier(unit('admin'));
  roles.setOrdererOuIdentifier(unit('orderer'));
  config.setFabricNodeOus(roles);
  const outer = new msp.MSPConfig();
  outer.setConfig(config.serializeBinary());
  return group({
    values: { MSP: value(outer.serializeBinary()) },
    policies: {
      Endorsement: outOf(1, [rolePrincipal(of.id, 'PEER')]),
      Writers: outOf(1, [rolePrincipal(of.id, 'MEMBER')]),
      Admins: outOf(1, [rolePrincipal(of.id, 'ADMIN')]),
    },
  });
}

export interface MadeConfigOptions {
  readonly members: readonly MadeOrganisation[];
  readonly ordering: MadeOrganisation;
  /** Consenters of a Byzantine fault tolerant service; Raft where there are none. */
  readonly consenters?: readonly Made[];
}

export function channelGroup({ members, ordering, consenters = [] }: MadeConfigOptions): common.ConfigGroup {
  const consensus = new orderer.ConsensusType();
  consensus.setType(consenters.length > 0 ? 'BFT' : 'etcdraft');
  const list = new common.Orderers();
  list.setConsenterMappingList(
    consenters.map((each, at) => {
      const consenter = new common.Consenter();
      consenter.setId(at + 1);
      consenter.setMspId(ordering.id);
      consenter.setIdentity(each.pem);
      return consenter;
    }),
  );
  const quorum = Math.ceil((consenters.length + Math.floor((consenters.length - 1) / 3) + 1) / 2);
  const validation =
    consenters.length > 0
      ? outOf(
          quorum,
          consenters.map((each) => identityPrincipal(ordering, each)),
        )
      : implicit('ANY', 'Writers');
  return group({
    groups: {
      Application: group({
        groups: Object.fromEntries(members.map((each) => [`group-${each.id}`, organisationGroup(each)])),
        values: { Capabilities: capabilities('V2_5') },
        policies: {
          Endorsement: implicit('MAJORITY', 'Endorsement'),
          LifecycleEndorsement: implicit('MAJORITY', 'Endorsement'),
          Admins: implicit('MAJORITY', 'Admins'),
        },
      }),
      Orderer: group({
        groups: { ordering: organisationGroup(ordering) },
        values: { ConsensusType: value(consensus.serializeBinary()), Orderers: value(list.serializeBinary()) },
        policies: { BlockValidation: validation, Admins: implicit('MAJORITY', 'Admins') },
      }),
    },
    values: { Capabilities: capabilities('V3_0') },
    policies: { Admins: implicit('MAJORITY', 'Admins') },
  });
}
