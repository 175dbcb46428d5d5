import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { RemoteLedger } from '../ledger/index.ts';
import type { LedgerAddress } from '../ledger/address.ts';
import { AnswerKeys } from '../researcher/answers.ts';
import { Researcher } from '../researcher/client.ts';
import { CoordinatorClient } from '../researcher/coordinator.ts';
import { Misuse } from '../protocol/errors.ts';
import { readMember, type ResearcherConfig } from './config.ts';
import { useNetwork, type NetworkSettings } from './network.ts';

/** What any role's configuration says of its line to the ledger. */
export interface MemberConnection extends NetworkSettings {
  readonly ledger: LedgerAddress;
  readonly stateFolder: string;
}

/** Opens this member's own verified replica of the ledger; its last head is remembered in the state folder. */
export function connectLedger(config: MemberConnection): Promise<RemoteLedger> {
  const { ledger: address, stateFolder } = config;
  useNetwork(config);
  mkdirSync(stateFolder, { recursive: true, mode: 0o700 });
  return RemoteLedger.connect({
    url: address.url,
    consortium: address.consortium,
    operator: address.operatorKey,
    checkpoint: join(stateFolder, 'ledger-head.json'),
  });
}

export async function connectResearcher(
  config: ResearcherConfig,
): Promise<{ researcher: Researcher; ledger: RemoteLedger }> {
  if (config.coordinator === undefined)
    throw new Misuse('BAD_CONFIG', 'the configuration names no coordinator', {
      hint: 'Add "coordinator": { "url": "https://..." }.',
    });
  const ledger = await connectLedger(config);
  const researcher = new Researcher({
    ledger,
    coordinator: new CoordinatorClient(config.coordinator.url),
    member: readMember(config),
    answerKeys: new AnswerKeys(join(config.stateFolder, 'answer-keys')),
  });
  return { researcher, ledger };
}
