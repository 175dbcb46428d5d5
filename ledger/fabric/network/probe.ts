import { readFileSync } from 'node:fs';
import { credentials, Client } from '@grpc/grpc-js';
import { connect, hash, type Contract } from '@hyperledger/fabric-gateway';
import { readChannelIdentity } from '../identity.ts';
import type { DescribedOrganisation, NetworkDescription } from './description.ts';

const SECONDS = 30;

/** The chaincode of a channel as one identity sees it. Close it. */
export interface OpenContract {
  readonly contract: Contract;
  readonly close: () => void;
}

/** Opens a connection to an organisation's gateway, as its user unless another identity is given. */
export function openContract(
  network: NetworkDescription,
  organisation: DescribedOrganisation,
  channel: string,
  identity = organisation.identities.user,
): OpenContract {
  const { endpoint, tlsRoot, serverName } = organisation.gateway;
  const { mspId } = organisation;
  const files = { certFile: identity.certificate, keyFile: identity.privateKey };
  const signer = readChannelIdentity({ mspId, identity: files });
  const client = new Client(endpoint, credentials.createSsl(readFileSync(tlsRoot)), {
    'grpc.ssl_target_name_override': serverName,
  });
  const deadline = (): { deadline: number } => ({ deadline: Date.now() + SECONDS * 1000 });
  const gateway = connect({
    client,
    hash: hash.none,
    identity: { mspId, credentials: signer.certificate },
    signer: (message) => Promise.resolve(signer.sign(message)),
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
  });
  return {
    contract: gateway.getNetwork(channel).getContract(network.chaincode),
    close: () => {
      gateway.close();
      client.close();
    },
  };
}

async function once<T>({ contract, close }: OpenContract, call: (contract: Contract) => Promise<T>): Promise<T> {
  try {
    return await call(contract);
  } finally {
    close();
  }
}

/**
 * Submits a transaction that writes nothing (the chaincode's `consortium`): it takes the whole way through endorsement by
 * the majority, ordering and validation, and leaves the ledger's state and entries as they are.
 */
export const probeSubmit = (
  network: NetworkDescription,
  organisation: DescribedOrganisation,
  channel: string,
): Promise<unknown> => once(openContract(network, organisation, channel), (contract) => contract.submit('consortium'));

/** What the organisation's peer says of the consortium on a channel: `{"id","name"}`, or nothing before the founding. */
export const readConsortium = (
  network: NetworkDescription,
  organisation: DescribedOrganisation,
  channel: string,
): Promise<string> =>
  once(openContract(network, organisation, channel), async (contract) =>
    Buffer.from(await contract.evaluate('consortium')).toString('utf8'),
  );
