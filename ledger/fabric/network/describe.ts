import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { common } from '@hyperledger/fabric-protos';
import { headerHash, receivedBlock } from '../blocks/block.ts';
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

/** The hash of a first block's header, by which a member pins a channel. */
const genesisHash = (block: Uint8Array): string =>
  headerHash(receivedBlock(common.Block.deserializeBinary(block))).toString('hex');
