import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hash } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { Fault } from '../../../protocol/errors.ts';
import type { NetworkDescription } from './description.ts';
import { CHAINCODE, ORDERER_DOMAIN, type NetworkPlan, type Paths } from './plan.ts';
import type { ProcessRecord } from './processes.ts';

export function describeNetwork(
  at: Paths,
  plan: NetworkPlan,
  fabricVersion: string,
  processes: readonly ProcessRecord[],
): NetworkDescription {
  return {
    format: 'healthchain-fabric-network/1',
    fabricVersion,
    chaincode: CHAINCODE,
    channels: plan.channels.map((name) => ({ name, genesis: genesisHash(readFileSync(at.genesis(name))) })),
    organisations: plan.organisations.map(({ name, mspId, kind, domain, port }) => ({
      name,
      mspId,
      kind,
      gateway: {
        endpoint: `127.0.0.1:${port}`,
        tlsRoot: join(at.node(domain, 'peer0'), 'tls', 'ca.crt'),
        serverName: `peer0.${domain}`,
      },
      identities: { admin: identity(at, domain, 'Admin'), user: identity(at, domain, 'User1') },
    })),
    orderers: plan.orderers.map(({ name, port }) => ({
      name,
      endpoint: `127.0.0.1:${port}`,
      tlsRoot: join(at.orderer(name), 'tls', 'ca.crt'),
      serverName: `${name}.${ORDERER_DOMAIN}`,
    })),
    processes: processes.map(({ name, pid, log }) => ({ name, pid, log })),
  };
}

function identity(at: Paths, domain: string, user: string): { certificate: string; privateKey: string } {
  const msp = join(at.user(domain, user), 'msp');
  const only = (folder: string): string => join(msp, folder, readdirSync(join(msp, folder))[0]!);
  return { certificate: only('signcerts'), privateKey: only('keystore') };
}

/**
 * SHA-256 of the DER form of a first block's header: SEQUENCE { INTEGER number, OCTET STRING previous hash, OCTET STRING
 * data hash }, as Fabric's protoutil.BlockHeaderHash. Number and previous hash of a first block are zero and empty.
 */
export function genesisHash(block: Uint8Array): string {
  const header = common.Block.deserializeBinary(block).getHeader();
  const previous = header?.getPreviousHash_asU8();
  const data = header?.getDataHash_asU8();
  if (header?.getNumber() !== 0 || previous?.length !== 0 || data?.length !== 32) {
    throw new Fault('INTERNAL', 'this is no first block of a channel');
  }
  const fields = Buffer.concat([Buffer.from([0x02, 1, 0, 0x04, 0, 0x04, 32]), data]);
  return hash('sha256', Buffer.concat([Buffer.from([0x30, fields.length]), fields]), 'hex');
}
