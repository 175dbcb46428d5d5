import { Misuse } from '../../../protocol/errors.ts';
import type { FabricAddress } from '../../address.ts';
import type { NetworkDescription } from './description.ts';

/**
 * How a member of a network reaches one of its channels, the first unless it is named: with its user's identity, through
 * its own peer first, through the others' where that is away. Errors: `Misuse BAD_CONFIG` for names that the network does not have.
 */
export function memberAddress(network: NetworkDescription, member: string, channel?: string): FabricAddress {
  const own = network.organisations.find(({ name }) => name === member);
  const joined = network.channels.find(({ name }) => channel === undefined || name === channel);
  if (own === undefined || joined === undefined) {
    throw new Misuse(
      'BAD_CONFIG',
      `the network has no ${own === undefined ? `member ${member}` : `channel ${channel!}`}`,
    );
  }
  const { certificate, privateKey } = own.identities.user;
  return {
    channel: joined.name,
    chaincode: network.chaincode,
    genesis: joined.genesis,
    mspId: own.mspId,
    identity: { certFile: certificate, keyFile: privateKey },
    gateways: [own, ...network.organisations.filter((each) => each !== own)].map(({ gateway }) => ({
      endpoint: gateway.endpoint,
      tlsRootFile: gateway.tlsRoot,
      serverName: gateway.serverName,
    })),
  };
}
