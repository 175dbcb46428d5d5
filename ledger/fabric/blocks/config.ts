import { common, msp, orderer } from '@hyperledger/fabric-protos';
import { Misuse } from '../../../protocol/errors.ts';
import { decode } from './encoding.ts';
import { Msp } from './msp.ts';
import { PolicyTree, type Policy } from './policy.ts';

/** The channel's configuration at a point of its chain: its organisations, and who may decide what. */
export class ChannelConfig {
  readonly sequence: number;
  readonly root: common.ConfigGroup;
  /** Membership services of all organisations, of hospitals and orderers, by MSP id. */
  readonly msps: ReadonlyMap<string, Msp>;
  /** The application's organisations: name of the group by MSP id. */
  readonly organisations: ReadonlyMap<string, string>;
  /** Consenters of a Byzantine fault tolerant ordering service by number; empty for Raft. */
  readonly consenters: ReadonlyMap<number, common.Consenter>;
  readonly #policies: PolicyTree;

  /** Errors: `Misuse BAD_CONFIG` for a channel of a kind that this reader does not know; `EncodingError`. */
  constructor(config: common.Config) {
    const root = config.getChannelGroup();
    if (root === undefined) throw unsupported('it has no channel group');
    this.root = root;
    this.sequence = config.getSequence();
    const application = groupOf(root, 'Application');
    const ordering = groupOf(root, 'Orderer');
    requireCapability(root, ['V2_0', 'V3_0'], 'channel');
    requireCapability(application, ['V2_0', 'V2_5'], 'application');
    const members = membersOf(application);
    this.organisations = new Map([...members].map(([name, { id }]) => [id, name]));
    this.msps = new Map([...members, ...membersOf(ordering)].map(([, each]) => [each.id, each]));
    this.consenters = isByzantine(ordering) ? consentersOf(ordering) : new Map();
    this.#policies = new PolicyTree(root, this.msps);
  }

  /** A policy by its path, as `/Channel/Application/Endorsement`; undefined where there is none. */
  policy(path: string): Policy | undefined {
    const [, first, ...rest] = path.split('/');
    return first === 'Channel' ? this.#policies.find(rest) : undefined;
  }
}

const groupOf = (group: common.ConfigGroup, name: string): common.ConfigGroup => {
  const found = group.getGroupsMap().get(name);
  if (found === undefined) throw unsupported(`it has no group ${name}`);
  return found;
};

function membersOf(group: common.ConfigGroup): Map<string, Msp> {
  const members = new Map<string, Msp>();
  group.getGroupsMap().forEach((each: common.ConfigGroup, name: string) => {
    const value = each.getValuesMap().get('MSP');
    if (value === undefined) return;
    const config = decode(msp.MSPConfig, value.getValue_asU8(), `the MSP of ${name}`);
    if (config.getType() !== 0) throw unsupported(`the MSP of ${name} is not of X.509 certificates`);
    members.set(name, new Msp(decode(msp.FabricMSPConfig, config.getConfig_asU8(), `the MSP of ${name}`)));
  });
  return members;
}

function requireCapability(group: common.ConfigGroup, known: readonly string[], what: string): void {
  const value = group.getValuesMap().get('Capabilities');
  const names: string[] = [];
  if (value !== undefined)
    decode(common.Capabilities, value.getValue_asU8(), 'capabilities')
      .getCapabilitiesMap()
      .forEach((_each: unknown, name: string) => names.push(name));
  if (!names.some((name) => known.includes(name)) || names.some((name) => !/^V[123]_/.test(name)))
    throw unsupported(`its ${what} capabilities are ${names.join(', ') || 'none'}, not ${known.join(' or ')}`);
}

const isByzantine = (ordering: common.ConfigGroup): boolean => {
  const value = ordering.getValuesMap().get('ConsensusType');
  return (
    value !== undefined && decode(orderer.ConsensusType, value.getValue_asU8(), 'consensus type').getType() === 'BFT'
  );
};

function consentersOf(ordering: common.ConfigGroup): Map<number, common.Consenter> {
  const value = ordering.getValuesMap().get('Orderers');
  if (value === undefined) throw unsupported('its ordering service names no consenters');
  const list = decode(common.Orderers, value.getValue_asU8(), 'consenters').getConsenterMappingList();
  return new Map(list.map((each) => [each.getId(), each]));
}

const unsupported = (why: string): Misuse =>
  new Misuse('BAD_CONFIG', `the channel's configuration cannot be read: ${why}`, {
    hint: 'The channel needs the capabilities of Fabric 2.0 or later, as docs/deploy.md says.',
  });
