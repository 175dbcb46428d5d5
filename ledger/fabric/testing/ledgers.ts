import { FabricLedger, type FabricLedgerOptions } from '../ledger.ts';
import { memberAddress, type NetworkDescription } from '../network/index.ts';

/** Connects as a member of a test network to its last channel. */
export const connectTo = (
  network: NetworkDescription,
  { member = 'office', ...options }: Partial<FabricLedgerOptions> & { member?: string } = {},
): Promise<FabricLedger> =>
  FabricLedger.connect({
    address: memberAddress(network, member, network.channels.at(-1)!.name),
    deadlineMs: 60_000,
    ...options,
  });
