import { common } from '@hyperledger/fabric-protos';
import { z } from 'zod';
import { decodeDocument } from '../../protocol/canonical.ts';
import type { FabricAddress } from '../address.ts';
import { fromGateway } from './errors.ts';
import { Gateways } from './gateways.ts';
import { readChannelIdentity } from './identity.ts';

/** What one peer's gateway answers; nothing of it is verified. */
export interface GatewayAnswer {
  readonly endpoint: string;
  /** Blocks of the channel that the peer has. */
  readonly height: number;
  /** Name of the consortium that the chaincode tells; undefined before its founding. */
  readonly consortium: string | undefined;
}

/** Milliseconds before the end of a certificate from which on `doctor` says so. */
export const EXPIRY_NOTICE = 30 * 24 * 3600_000;

const consortium = z.object({ name: z.string() });

/**
 * Asks the gateway of one configured peer for the channel and for the chaincode, without the others standing in for it.
 * Errors: `Fault LEDGER_DOWN`, `Refusal NOT_AUTHORIZED`, `Misuse`.
 */
export async function askGateway(address: FabricAddress, place: number): Promise<GatewayAnswer> {
  const gateways = new Gateways(address, readChannelIdentity(address));
  const line = gateways.lineTo(place);
  try {
    const info = await line.contract('qscc').evaluate('GetChainInfo', { arguments: [address.channel] });
    const told = Buffer.from(await line.contract(address.chaincode).evaluate('consortium')).toString('utf8');
    return {
      endpoint: line.endpoint,
      height: common.BlockchainInfo.deserializeBinary(info).getHeight(),
      consortium: told === '' ? undefined : decodeDocument(consortium, told, { what: 'consortium' }).name,
    };
  } catch (error) {
    throw fromGateway(error, `asking ${line.endpoint}`);
  } finally {
    gateways.close();
  }
}
