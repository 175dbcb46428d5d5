import { join } from 'node:path';
import type { LedgerAddress } from '../../ledger/address.ts';
import type { DescribedOrganisation, NetworkDescription } from '../../ledger/fabric/network/description.ts';
import { Misuse } from '../../protocol/errors.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import { startRole, writeConfig, type RoleProcess } from './process.ts';

export interface LocalLedger {
  readonly ledgerUrl: string;
  /** What a member's configuration says of the ledger. */
  readonly addressOf: (member: string) => LedgerAddress;
}

/** The ledger of a consortium, and that of patients' statements where it has one of its own. */
export type LedgerName = 'ledger' | 'public-ledger';

/** An embedded ledger in a process of its own. */
export async function startLedger(
  folder: string,
  founding: SignedAction,
  processes: Map<string, RoleProcess>,
  name: LedgerName = 'ledger',
): Promise<LocalLedger> {
  const file = name === 'ledger' ? 'founding' : 'public-founding';
  writeConfig(folder, file, founding);
  writeConfig(folder, name, { folder: name, port: 0, foundingFile: `${file}.json` });
  const { process, ready } = await startRole(folder, name, 'ledger');
  processes.set(name, process);
  const ledgerUrl = ready.url!;
  // Later starts listen at the same place, so that everybody finds the ledger again.
  writeConfig(folder, name, { folder: name, port: Number(new URL(ledgerUrl).port) });
  const address = { url: ledgerUrl, consortium: ready.consortium!, operatorKey: ready.operatorKey! };
  return { ledgerUrl, addressOf: () => address };
}

/** The first channel of a network, with the consortium founded on it. */
export async function foundChannel(
  folder: string,
  founding: SignedAction,
  hospitals: readonly { readonly id: string }[],
  network: NetworkDescription,
): Promise<LocalLedger> {
  const { memberAddress } = await import('../../ledger/fabric/network/index.ts');
  const { FabricLedger } = await import('../../ledger/fabric/ledger.ts');
  const office = officeOf(network);
  const address = memberAddress(network, office.name);
  const ledger = await FabricLedger.connect({ address, folder: join(folder, 'founder'), founding });
  const { consortium } = ledger;
  await ledger.close();
  return {
    ledgerUrl: `grpcs://${office.gateway.endpoint}`,
    addressOf: (member) => ({
      fabric: { ...memberAddress(network, fabricMember(network, hospitals, member).name), consortium },
    }),
  };
}

/** The organisation of a network that speaks for a member: each hospital has its own, all others share the research office's. */
export function fabricMember(
  network: NetworkDescription,
  hospitals: readonly { readonly id: string }[],
  member: string,
): DescribedOrganisation {
  const at = hospitals.findIndex(({ id }) => id === member);
  if (at < 0) return officeOf(network);
  const found = network.organisations.filter(({ kind }) => kind === 'hospital')[at];
  if (found !== undefined) return found;
  throw new Misuse(
    'BAD_CONFIG',
    `the Fabric network has fewer hospitals than the ${hospitals.length} of this consortium`,
    {
      hint: 'Make one with as many: healthchain fabric up --hospitals.',
    },
  );
}

function officeOf(network: NetworkDescription): DescribedOrganisation {
  const office = network.organisations.find(({ kind }) => kind === 'office');
  if (office === undefined) throw new Misuse('BAD_CONFIG', 'the Fabric network has no research office');
  return office;
}
