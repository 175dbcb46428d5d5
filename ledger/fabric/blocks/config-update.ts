import { common } from '@hyperledger/fabric-protos';
import type { ChannelConfig } from './config.ts';
import { decode } from './encoding.ts';
import { signer } from './msp.ts';
import type { Policy } from './policy.ts';

type Node = common.ConfigGroup | common.ConfigValue | common.ConfigPolicy;

interface Item {
  readonly node: Node;
  /** Names of the groups down to the one whose policies speak for the item, the channel's own group left out. */
  readonly scope: readonly string[];
}

/**
 * Follows a configuration block as every peer does (common/configtx): the update in it changes only elements whose
 * modification policy its signatures meet, under the configuration before it, and leads to exactly the configuration that the
 * block states. So the ordering service cannot change who is a member. Throws an `Error` that says what does not hold.
 */
export function verifyConfigUpdate(before: ChannelConfig, envelope: common.ConfigEnvelope, channel: string): void {
  const config = envelope.getConfig();
  const group = config?.getChannelGroup();
  if (config === undefined || group === undefined) throw new Error('it states no configuration');
  if (config.getSequence() !== before.sequence + 1)
    throw new Error(`it is number ${config.getSequence()}, not ${before.sequence + 1}`);
  const signed = updateOf(envelope);
  const update = decode(common.ConfigUpdate, signed.getConfigUpdate_asU8(), 'the update');
  if (update.getChannelId() !== channel) throw new Error('its update is for another channel');

  const current = itemsOf(before.root);
  const read = itemsOf(update.getReadSet());
  for (const [path, { node }] of read)
    if (current.get(path)?.node.getVersion() !== node.getVersion()) throw new Error(`it rests on another ${path}`);
  const written = itemsOf(update.getWriteSet());
  const changes = [...written].filter(([path, { node }]) => read.get(path)?.node.getVersion() !== node.getVersion());
  if (changes.length === 0) throw new Error('its update changes nothing');
  const signers = signersOf(before, signed);
  for (const [path, { node }] of changes) {
    const existing = current.get(path);
    if (node.getModPolicy() === '') throw new Error(`${path} names no policy for changes`);
    if (node.getVersion() !== (existing === undefined ? 0 : existing.node.getVersion() + 1))
      throw new Error(`${path} jumps to version ${node.getVersion()}`);
    if (existing !== undefined && policyFor(before, existing)?.(signers) !== true)
      throw new Error(`those who signed may not change ${path}`);
  }
  const result = rebuild('', new Map([...current, ...changes]), [...written.keys()]);
  if (!sameGroup(result, group)) throw new Error('its update does not lead to the configuration that it states');
}

function updateOf(envelope: common.ConfigEnvelope): common.ConfigUpdateEnvelope {
  const last = envelope.getLastUpdate();
  if (last === undefined) throw new Error('it carries no update');
  const payload = decode(common.Payload, last.getPayload_asU8(), 'the payload of the update');
  return decode(common.ConfigUpdateEnvelope, payload.getData_asU8(), 'the envelope of the update');
}

/** Who signed an update; a signature that does not verify counts for nobody. */
function signersOf(before: ChannelConfig, update: common.ConfigUpdateEnvelope): Parameters<Policy>[0] {
  return update.getSignaturesList().flatMap((each) => {
    const header = each.getSignatureHeader_asU8();
    const found = signer(before.msps, {
      identity: decode(common.SignatureHeader, header, 'a signature header').getCreator_asU8(),
      message: Buffer.concat([header, update.getConfigUpdate_asU8()]),
      signature: each.getSignature_asU8(),
    });
    return typeof found === 'string' ? [] : [found];
  });
}

function policyFor(before: ChannelConfig, { node, scope }: Item): Policy | undefined {
  const name = node.getModPolicy();
  return before.policy(name.startsWith('/') ? name : ['', 'Channel', ...scope, name].join('/'));
}

/** Every element of a configuration by kind and path, as `group /Application/North`. */
function itemsOf(root: common.ConfigGroup | undefined): Map<string, Item> {
  const items = new Map<string, Item>();
  const add = (group: common.ConfigGroup, scope: readonly string[]): void => {
    const path = scope.map((name) => `/${name}`).join('');
    items.set(`group ${path}`, { node: group, scope });
    group.getValuesMap().forEach((node: common.ConfigValue, name: string) => {
      items.set(`value ${path}/${name}`, { node, scope });
    });
    group.getPoliciesMap().forEach((node: common.ConfigPolicy, name: string) => {
      items.set(`policy ${path}/${name}`, { node, scope });
    });
    group.getGroupsMap().forEach((each: common.ConfigGroup, name: string) => add(each, [...scope, name]));
  };
  if (root !== undefined) add(root, []);
  return items;
}

/** The configuration that the elements make up: a group holds what its own newest version lists. */
function rebuild(path: string, items: ReadonlyMap<string, Item>, mustHold: readonly string[]): common.ConfigGroup {
  const used = new Set<string>();
  const take = (key: string): Node => {
    const item = items.get(key);
    if (item === undefined) throw new Error(`${key} is missing`);
    used.add(key);
    return item.node;
  };
  const build = (at: string): common.ConfigGroup => {
    const listed = take(`group ${at}`) as common.ConfigGroup;
    const group = new common.ConfigGroup();
    group.setVersion(listed.getVersion());
    group.setModPolicy(listed.getModPolicy());
    listed.getGroupsMap().forEach((_: unknown, name: string) => group.getGroupsMap().set(name, build(`${at}/${name}`)));
    listed.getValuesMap().forEach((_: unknown, name: string) => {
      group.getValuesMap().set(name, take(`value ${at}/${name}`) as common.ConfigValue);
    });
    listed.getPoliciesMap().forEach((_: unknown, name: string) => {
      group.getPoliciesMap().set(name, take(`policy ${at}/${name}`) as common.ConfigPolicy);
    });
    return group;
  };
  const group = build(path);
  const lost = mustHold.find((key) => !used.has(key) && !items.has(key));
  if (lost !== undefined) throw new Error(`${lost} is not in the configuration`);
  return group;
}

/** Maps have no order in their encoding: compare element by element. */
function sameGroup(a: common.ConfigGroup, b: common.ConfigGroup): boolean {
  const [left, right] = [itemsOf(a), itemsOf(b)];
  return (
    left.size === right.size &&
    [...left].every(([path, { node }]) => {
      const other = right.get(path)?.node;
      if (other === undefined || other.getVersion() !== node.getVersion()) return false;
      if (other.getModPolicy() !== node.getModPolicy()) return false;
      return path.startsWith('group ') || Buffer.compare(node.serializeBinary(), other.serializeBinary()) === 0;
    })
  );
}
