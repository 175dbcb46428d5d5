import type { FabricAddress, LedgerAddress, OperatorAddress } from '../../ledger/address.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { Misuse } from '../../protocol/errors.ts';
import { CLOCK_TOLERANCE } from '../../protocol/request.ts';
import { connectLedger, type MemberConnection } from '../connect.ts';
import { Unwell, type Checkup } from './checkup.ts';

/** Looks at the line to the ledger and at the ledger itself; gives back the connection, for others to look further. */
export async function examineLedger(config: MemberConnection, checkup: Checkup): Promise<Ledger | undefined> {
  const { ledger: address } = config;
  if ('fabric' in address) await examineFabric(address.fabric, checkup);
  else await examineClock(address, checkup);
  let ledger: Ledger | undefined;
  await checkup('ledger', async () => {
    ledger = await connectLedger(config);
    return `${ledger.head().size} entries, verified${pinned(address, ledger)}`;
  });
  return ledger;
}

async function examineClock({ url }: OperatorAddress, checkup: Checkup): Promise<void> {
  await checkup('clock', async () => {
    const response = await fetch(new URL('/health', url)).catch(() => undefined);
    const date = response?.headers.get('date');
    if (date === null || date === undefined)
      throw new Unwell('the ledger does not answer, so the clock cannot be compared', 'See the next line.');
    const skew = Math.round((Date.now() - Date.parse(date)) / 1000);
    if (Math.abs(skew) > CLOCK_TOLERANCE / 2)
      throw new Unwell(`differs from the ledger’s by ${skew} s`, 'Set the clock (NTP).');
    return `within ${Math.abs(skew) + 1} s of the ledger’s`;
  });
}

async function examineFabric(address: FabricAddress, checkup: Checkup): Promise<void> {
  const { readChannelIdentity } = await import('../../ledger/fabric/identity.ts');
  const { askGateway, EXPIRY_NOTICE } = await import('../../ledger/fabric/inspect.ts');
  await checkup('Fabric programs', async () => {
    const { findPrograms } = await import('../../ledger/fabric/network/programs.ts');
    try {
      const { version, path } = await findPrograms();
      return `release ${version}, ${path.peer}`;
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      // A member whose peer runs elsewhere needs none of them here.
      return `none to use here: ${error.message}. Only peers, orderers, and healthchain fabric up need them. ${error.hint ?? ''}`;
    }
  });
  await checkup('MSP identity', () => {
    const { expires, mspId } = readChannelIdentity(address);
    const left = expires.getTime() - Date.now();
    const day = expires.toISOString().slice(0, 10);
    if (left < EXPIRY_NOTICE)
      throw new Unwell(
        left < 0 ? `the certificate of ${mspId} expired on ${day}` : `the certificate of ${mspId} expires on ${day}`,
        'Enrol a new one with the organisation’s Fabric CA, and name its files in ledger.fabric.identity.',
      );
    return `${mspId}, certificate good until ${day}`;
  });
  for (const [place, { endpoint }] of address.gateways.entries())
    await checkup(`gateway ${endpoint}`, async () => {
      const { height, consortium } = await askGateway(address, place);
      const told = consortium === undefined ? 'no consortium founded yet' : `consortium "${consortium}"`;
      return `channel ${address.channel} with ${height} blocks, chaincode ${address.chaincode}: ${told}`;
    });
}

function pinned(address: LedgerAddress, ledger: Ledger): string {
  if (!('fabric' in address)) {
    if (address.consortium !== undefined && address.operatorKey !== undefined) return '';
    return '; not pinned: add ledger.consortium and ledger.operatorKey to the configuration';
  }
  const head = ledger.head();
  const first = 'genesis' in head ? `, first block ${head.genesis}` : '';
  const { consortium, genesis } = address.fabric;
  if (consortium !== undefined && genesis !== undefined) return first;
  return `${first}; not pinned: add ledger.fabric.consortium and ledger.fabric.genesis to the configuration`;
}
