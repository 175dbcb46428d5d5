import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { credentials, Client } from '@grpc/grpc-js';
import { connect, hash, signers, type Contract } from '@hyperledger/fabric-gateway';
import type { DescribedOrganisation, NetworkDescription } from './description.ts';

const SECONDS = 10;

/** Calls the chaincode once through an organisation's gateway, as its user. */
async function withContract<T>(
  network: NetworkDescription,
  organisation: DescribedOrganisation,
  channel: string,
  call: (contract: Contract) => Promise<T>,
): Promise<T> {
  const { endpoint, tlsRoot, serverName } = organisation.gateway;
  const { certificate, privateKey } = organisation.identities.user;
  const client = new Client(endpoint, credentials.createSsl(readFileSync(tlsRoot)), {
    'grpc.ssl_target_name_override': serverName,
  });
  const deadline = (): { deadline: number } => ({ deadline: Date.now() + SECONDS * 1000 });
  const gateway = connect({
    client,
    hash: hash.sha256,
    identity: { mspId: organisation.mspId, credentials: readFileSync(certificate) },
    signer: signers.newPrivateKeySigner(createPrivateKey(readFileSync(privateKey))),
    evaluateOptions: deadline,
    endorseOptions: deadline,
    submitOptions: deadline,
    commitStatusOptions: deadline,
  });
  try {
    return await call(gateway.getNetwork(channel).getContract(network.chaincode));
  } finally {
    gateway.close();
    client.close();
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
): Promise<unknown> => withContract(network, organisation, channel, (contract) => contract.submit('consortium'));

/** What the organisation's peer says of the consortium on a channel: `{"id","name"}`, or nothing before the founding. */
export const readConsortium = (
  network: NetworkDescription,
  organisation: DescribedOrganisation,
  channel: string,
): Promise<string> =>
  withContract(network, organisation, channel, async (contract) =>
    Buffer.from(await contract.evaluate('consortium')).toString('utf8'),
  );
