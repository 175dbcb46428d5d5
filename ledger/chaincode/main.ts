import { readFileSync } from 'node:fs';
import shim, { type ChaincodeServerOpts } from 'fabric-shim';
import { Chaincode, type Stub } from './chaincode.ts';
import { ORGANISATION_ATTRIBUTE, type Creator } from './caller.ts';
import { Refusal } from '../../protocol/errors.ts';

/** The chaincode as a service: one process beside a peer, which connects to it. Settings are environment variables; README.md lists them. */

function setting(name: string): string {
  const value = process.env[name];
  if (value !== undefined && value !== '') return value;
  console.error(`${name} is not set. See README.md for the settings of the chaincode.`);
  process.exit(2);
}

function tlsFiles(): ChaincodeServerOpts['tlsProps'] | undefined {
  const { CHAINCODE_TLS_KEY_FILE: key, CHAINCODE_TLS_CERT_FILE: cert } = process.env;
  if (key === undefined && cert === undefined) return undefined;
  const clientCa = process.env.CHAINCODE_TLS_CLIENT_CACERT_FILE;
  return {
    key: readFileSync(setting('CHAINCODE_TLS_KEY_FILE')),
    cert: readFileSync(setting('CHAINCODE_TLS_CERT_FILE')),
    // Without it any client that reaches the port is served.
    ...(clientCa === undefined ? {} : { clientCACerts: readFileSync(clientCa) }),
  } as ChaincodeServerOpts['tlsProps'];
}

function creatorOf(stub: Stub): Creator {
  try {
    const identity = new shim.ClientIdentity(stub as unknown as shim.ChaincodeStub);
    return {
      mspId: identity.getMSPID(),
      organisation: identity.getAttributeValue(ORGANISATION_ATTRIBUTE) ?? undefined,
    };
  } catch {
    throw new Refusal('NOT_AUTHORIZED', 'the certificate of the submitter cannot be read', {
      hint: 'It must be an X.509 certificate; attributes as Fabric CA writes them.',
    });
  }
}

/**
 * The peer bounds what it passes on. A smaller bound here would not refuse one message but end the stream, and with it every
 * transaction under way: anyone could do that with one long argument.
 */
const UNLIMITED = { 'grpc.max_receive_message_length': -1, 'grpc.max_send_message_length': -1 };

const chaincode = new Chaincode(creatorOf, (error) => console.error(error));
const address = setting('CHAINCODE_SERVER_ADDRESS');
const server = shim.Shim.server(
  {
    Init: () => Promise.resolve(chaincode.init()),
    Invoke: (stub) => chaincode.invoke(stub as unknown as Stub),
  },
  { ccid: setting('CHAINCODE_ID'), address, tlsProps: tlsFiles(), ...UNLIMITED } as ChaincodeServerOpts,
);
server.start().then(
  () => console.log(`healthchain chaincode listens at ${address}`),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
