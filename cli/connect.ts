import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RemoteLedger, type Acknowledgement, type Ledger } from '../ledger/index.ts';
import type { LedgerAddress } from '../ledger/address.ts';
import { AnswerKeys } from '../researcher/answers.ts';
import { Researcher } from '../researcher/client.ts';
import { CoordinatorClient } from '../researcher/coordinator.ts';
import { Misuse } from '../protocol/errors.ts';
import type { SignedAction } from '../protocol/ledger.ts';
import { readMember, type ResearcherConfig } from './config.ts';
import { useNetwork, type NetworkSettings } from './network.ts';

/** What any role's configuration says of its line to the ledger. */
export interface MemberConnection extends NetworkSettings {
  readonly ledger: LedgerAddress;
  readonly publicLedger?: LedgerAddress | undefined;
  readonly stateFolder: string;
}

/** A ledger that also passes on what others signed, where it can. */
export interface ConnectedLedger extends Ledger {
  forward(signed: SignedAction): Promise<Acknowledgement>;
}

/**
 * Opens this member's own verified copy of the ledger. The state folder keeps what was seen of it: the last head of an
 * embedded ledger, the blocks of a Fabric channel with the actions on their way. `founding` founds the consortium on a
 * channel that has none.
 */
export async function connectLedger(config: MemberConnection, founding?: SignedAction): Promise<ConnectedLedger> {
  const { ledger: address, stateFolder } = config;
  useNetwork(config);
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  if ('fabric' in address) {
    // Who uses an embedded ledger need not load gRPC and Fabric's messages.
    const { FabricLedger } = await import('../ledger/fabric/ledger.ts');
    return FabricLedger.connect({ address: address.fabric, folder: join(stateFolder, 'fabric'), founding });
  }
  return RemoteLedger.connect({
    url: address.url,
    consortium: address.consortium,
    operator: address.operatorKey,
    checkpoint: join(stateFolder, 'ledger-head.json'),
  });
}

/** Opens the ledger of patients' statements and published results, where the consortium has one of its own for them. */
export function connectPublicLedger(config: MemberConnection): Promise<ConnectedLedger> | undefined {
  const { publicLedger, stateFolder } = config;
  if (publicLedger === undefined) return undefined;
  return connectLedger({ ...config, ledger: publicLedger, stateFolder: join(stateFolder, 'public-ledger') });
}

/** Runs with something that is open, and closes it whatever comes of it. */
export async function closing<Part extends { close(): Promise<void> }, T>(
  part: Part,
  run: (part: Part) => T | Promise<T>,
): Promise<T> {
  try {
    return await run(part);
  } finally {
    await part.close();
  }
}

export interface ConnectedResearcher {
  readonly researcher: Researcher;
  readonly ledger: ConnectedLedger;
  readonly close: () => Promise<void>;
}

export async function connectResearcher(config: ResearcherConfig): Promise<ConnectedResearcher> {
  if (config.coordinator === undefined)
    throw new Misuse('BAD_CONFIG', 'the configuration names no coordinator', {
      hint: 'Add "coordinator": { "url": "https://..." }.',
    });
  const ledger = await connectLedger(config);
  const publicLedger = await connectPublicLedger(config);
  const researcher = new Researcher({
    ledger,
    publicLedger,
    coordinator: new CoordinatorClient(config.coordinator.url),
    member: readMember(config),
    answerKeys: new AnswerKeys(join(config.stateFolder, 'answer-keys')),
  });
  const close = async (): Promise<void> => {
    await ledger.close();
    await publicLedger?.close();
  };
  return { researcher, ledger, close };
}
