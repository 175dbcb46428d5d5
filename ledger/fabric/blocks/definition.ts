import { peer } from '@hyperledger/fabric-protos';
import { decode } from './encoding.ts';
import type { NamespaceSet } from './read-write-set.ts';

/**
 * Follows what the channel's lifecycle says of one chaincode: whose endorsements a peer asks for. The reader asks for
 * the channel's majority, whatever the definition says; a definition that asks for less would part the two.
 */
export class Definition {
  readonly #key: string;

  constructor(chaincode: string) {
    this.#key = `namespaces/fields/${chaincode}/ValidationInfo`;
  }

  /** Says what is wrong with the definition that a valid transaction writes, if it writes one that is wrong. */
  fault(sets: readonly NamespaceSet[]): string | undefined {
    for (const { chaincode, collection, writes } of sets) {
      if (chaincode !== '_lifecycle' || collection !== undefined) continue;
      const write = writes.find(({ key }) => key === this.#key);
      if (write !== undefined) return faultOf(write.value);
    }
    return undefined;
  }
}

function faultOf(value: Uint8Array | undefined): string | undefined {
  if (value === undefined) return 'its definition was removed';
  const info = decode(
    peer.lifecycle.ChaincodeValidationInfo,
    decode(peer.lifecycle.StateData, value, 'a field of a definition').getBytes_asU8(),
    'a definition',
  );
  if (info.getValidationPlugin() !== 'vscc') return 'its definition names a validation other than the built-in one';
  const policy = decode(peer.ApplicationPolicy, info.getValidationParameter_asU8(), 'an endorsement policy');
  return policy.getChannelConfigPolicyReference() === '/Channel/Application/Endorsement'
    ? undefined
    : "its endorsement policy is not the channel's own (/Channel/Application/Endorsement)";
}
