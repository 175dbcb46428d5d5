import type { FabricAddress } from '../../address.ts';
import { FabricLedger, type FabricLedgerOptions } from '../ledger.ts';
import type { NetworkDescription } from '../network/index.ts';

/** The address of a member of a test network: its own gateway first, the others to stand in. */
export function addressOf(network: NetworkDescription, member = 'office', channel = -1): FabricAddress {
  const own = network.organisations.find(({ name }) => name === member)!;
  const others = network.organisations.filter((each) => each !== own);
  const { name, genesis } = network.channels.at(channel)!;
  return {
    channel: name,
    chaincode: network.chaincode,
    genesis,
    mspId: own.mspId,
    identity: { certFile: own.identities.user.certificate, keyFile: own.identities.user.privateKey },
    gateways: [own, ...others].map(({ gateway }) => ({
      endpoint: gateway.endpoint,
      tlsRootFile: gateway.tlsRoot,
      serverName: gateway.serverName,
    })),
  };
}

export const connectTo = (
  network: NetworkDescription,
  { member, ...options }: Partial<FabricLedgerOptions> & { member?: string } = {},
): Promise<FabricLedger> =>
  FabricLedger.connect({ address: addressOf(network, member), deadlineMs: 60_000, ...options });
