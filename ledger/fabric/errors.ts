import { GatewayError } from '@hyperledger/fabric-gateway';
import { z } from 'zod';
import { errorFromRecord, Fault, HealthchainError, Misuse, Refusal } from '../../protocol/errors.ts';

const record = z.object({
  kind: z.enum(['Refusal', 'Abort', 'Fault', 'Misuse']),
  code: z.string().max(64),
  message: z.string().max(2000),
  hint: z.string().max(2000).optional(),
  party: z.string().max(64).optional(),
  round: z.string().max(64).optional(),
});

/** What a peer puts before the message of a chaincode that refused. */
const CHAINCODE_RESPONSE = /chaincode response \d+, (\{.*\})\s*$/s;

/**
 * The error of ours that a failed call to a gateway means: the chaincode's own refusal where it gave one; `Refusal NOT_AUTHORIZED`
 * where the channel does not accept who asks; else `Fault LEDGER_DOWN`, which may pass with time or at another gateway.
 */
export function fromGateway(error: unknown, doing: string): HealthchainError {
  if (error instanceof HealthchainError) return error;
  const texts = textsOf(error);
  for (const text of texts) {
    const told = chaincodeError(text);
    if (told !== undefined) return told;
  }
  if (texts.some((text) => NOT_ACCEPTED.test(text) && !/timeout|No connection established/i.test(text)))
    return new Refusal('NOT_AUTHORIZED', `the peers of the channel do not accept this identity (${doing})`, {
      hint: 'Check ledger.fabric.identity and mspId, and whether the certificate has expired or was revoked.',
      cause: error,
    });
  const [, what, hint] = REASONS.find(([sign]) => texts.some((text) => sign.test(text))) ?? SILENT;
  return new Fault('LEDGER_DOWN', `${what} (${doing}): ${texts[0] ?? 'no reason given'}`, { hint, cause: error });
}

/** Of the identity. What a line's TLS says of the peer's own certificate sounds alike, and is told by how gRPC begins it. */
const NOT_ACCEPTED = /access denied|creator|PERMISSION_DENIED|expired/i;

/** By what a gateway or gRPC says: what it means, and what to do. All may pass: another peer may do, or this one later. */
const REASONS: readonly (readonly [RegExp, string, string])[] = [
  [
    /failed to get config for channel/,
    'this peer does not have the channel',
    'Check ledger.fabric.channel; if it is right, the peer’s administrator has to join it to the channel.',
  ],
  [
    /no peers available to|no combination of peers|failed to find any endorsing/,
    'no peer of the channel runs the chaincode',
    'Check ledger.fabric.chaincode; if it is right, see whether its services run and its definition is committed.',
  ],
  [
    /No connection established.*(certificate|altnames|SSL|TLS)/s,
    'the peer’s TLS certificate does not verify',
    'Check tlsRootFile and serverName of this gateway, and the dates of the peer’s certificate.',
  ],
];
const SILENT = [
  undefined,
  'the Fabric network did not answer',
  'See whether the peer runs, and whether the firewall lets this machine dial out to it. healthchain doctor asks each gateway.',
] as const;

/** What the gateway says, and what the peers behind it said. */
function textsOf(error: unknown): string[] {
  if (!(error instanceof Error)) return [String(error)];
  const details = error instanceof GatewayError ? error.details.map(({ message }) => message) : [];
  return [...details, error.message];
}

function chaincodeError(text: string): HealthchainError | undefined {
  const match = CHAINCODE_RESPONSE.exec(text);
  if (match === null) return undefined;
  try {
    return errorFromRecord(record.parse(JSON.parse(match[1]!)));
  } catch (cause) {
    return new Misuse('BAD_CONFIG', 'the chaincode of the channel refused in a form that this program does not know', {
      hint: 'Is ledger.fabric.chaincode the chaincode of this project, in a version that fits?',
      cause,
    });
  }
}

/** Whether trying again, or elsewhere, may help. */
export const mayPass = (error: unknown): boolean => error instanceof Fault && error.code === 'LEDGER_DOWN';

/** Whether the contract in the chaincode said this, rather than the network around it: its errors alone come without a cause. */
export const toldByChaincode = (error: HealthchainError): boolean => error.cause === undefined;
