import { randomBytes } from 'node:crypto';
import type { NetworkDescription } from '../../ledger/fabric/network/description.ts';

export interface SandboxNetwork {
  readonly description: NetworkDescription;
  /** Ends a network that was made for this use; leaves one that ran before. */
  readonly close: () => Promise<void>;
}

/**
 * A Fabric network for one consortium: a fresh channel on the network that runs in `running`, or a network of its own in
 * `folder` with as many hospitals. Errors: as `upNetwork`.
 */
export async function sandboxNetwork(
  of: { readonly folder: string; readonly running: string | undefined; readonly hospitals: number },
  progress: (line: string) => void,
): Promise<SandboxNetwork> {
  const { addChannel, downNetwork, upNetwork } = await import('../../ledger/fabric/network/index.ts');
  const { folder, running, hospitals } = of;
  if (running !== undefined) {
    const description = await addChannel(running, `sandbox-${randomBytes(4).toString('hex')}`);
    progress(`channel ${description.channels[0]!.name} on the network in ${running}`);
    return { description, close: () => Promise.resolve() };
  }
  const description = await upNetwork({ folder, hospitals, channels: ['consortium'], progress });
  return {
    description,
    close: async () => {
      await downNetwork(folder);
    },
  };
}
