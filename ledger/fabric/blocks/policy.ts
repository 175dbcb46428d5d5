import { common } from '@hyperledger/fabric-protos';
import { decode } from './encoding.ts';
import type { MemberIdentity, Msp } from './msp.ts';

/** Whether these members, all of whom signed the same thing, are enough. */
export type Policy = (signers: readonly MemberIdentity[]) => boolean;

const never: Policy = () => false;

/** The policies of one group of the channel's configuration and of the groups within it. */
export class PolicyTree {
  readonly #policies = new Map<string, Policy>();
  readonly #groups = new Map<string, PolicyTree>();

  constructor(group: common.ConfigGroup, msps: ReadonlyMap<string, Msp>) {
    group
      .getGroupsMap()
      .forEach((each: common.ConfigGroup, name: string) => this.#groups.set(name, new PolicyTree(each, msps)));
    group.getPoliciesMap().forEach((each: common.ConfigPolicy, name: string) => {
      const policy = each.getPolicy();
      if (policy !== undefined) this.#policies.set(name, this.#compile(policy, msps));
    });
  }

  /** The policy at a path below this group, as ['Application', 'Endorsement']; undefined where there is none. */
  find(path: readonly string[]): Policy | undefined {
    const [first, ...rest] = path;
    if (first === undefined) return undefined;
    return rest.length === 0 ? this.#policies.get(first) : this.#groups.get(first)?.find(rest);
  }

  #compile(policy: common.Policy, msps: ReadonlyMap<string, Msp>): Policy {
    const { PolicyType } = common.Policy;
    const bytes = policy.getValue_asU8();
    if (policy.getType() === PolicyType.SIGNATURE)
      return signaturePolicy(decode(common.SignaturePolicyEnvelope, bytes, 'a policy'), msps);
    if (policy.getType() === PolicyType.IMPLICIT_META)
      return this.#implicit(decode(common.ImplicitMetaPolicy, bytes, 'a policy'));
    return never;
  }

  /** One that asks the policies of the same name of the groups within. */
  #implicit(definition: common.ImplicitMetaPolicy): Policy {
    const { Rule } = common.ImplicitMetaPolicy;
    const parts = [...this.#groups.values()].map((group) => group.find([definition.getSubPolicy()]) ?? never);
    const all = parts.length;
    const needed = { [Rule.ANY]: 1, [Rule.ALL]: all, [Rule.MAJORITY]: Math.floor(all / 2) + 1 }[definition.getRule()];
    return (signers) => parts.filter((part) => part(signers)).length >= (all === 0 ? 0 : needed);
  }
}

/** k of n rules over principals; no signer counts for two principals (common/cauthdsl). */
export function signaturePolicy(envelope: common.SignaturePolicyEnvelope, msps: ReadonlyMap<string, Msp>): Policy {
  const principals = envelope.getIdentitiesList();
  const rule = envelope.getRule();
  if (rule === undefined) return never;
  const satisfied = (
    each: common.SignaturePolicy,
    signers: readonly MemberIdentity[],
    used: ReadonlySet<number>,
  ): ReadonlySet<number> | undefined => {
    if (each.getTypeCase() === common.SignaturePolicy.TypeCase.SIGNED_BY) {
      const principal = principals[each.getSignedBy()];
      if (principal === undefined) return undefined;
      const at = signers.findIndex(
        (signer, place) => !used.has(place) && msps.get(signer.mspId)?.satisfies(signer, principal) === true,
      );
      return at < 0 ? undefined : new Set([...used, at]);
    }
    const outOf = each.getNOutOf();
    if (outOf === undefined) return undefined;
    let count = 0;
    let taken = used;
    for (const part of outOf.getRulesList()) {
      const after = satisfied(part, signers, taken);
      if (after === undefined) continue;
      taken = after;
      count += 1;
    }
    return count >= outOf.getN() ? taken : undefined;
  };
  return (signers) => satisfied(rule, distinct(signers), new Set()) !== undefined;
}

const distinct = (signers: readonly MemberIdentity[]): MemberIdentity[] => [
  ...new Map(signers.map((each) => [each.certificate.raw.toString('latin1'), each])).values(),
];
