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
  if (texts.some((text) => /access denied|creator|PERMISSION_DENIED|expired/i.test(text) && !/timeout/i.test(text)))
    return new Refusal('NOT_AUTHORIZED', `the peers of the channel do not accept this identity (${doing})`, {
      hint: 'Check ledger.fabric.identity and mspId, and whether the certificate has expired or was revoked.',
      cause: error,
    });
  return new Fault('LEDGER_DOWN', `the Fabric network did not answer (${doing}): ${texts[0] ?? 'no reason given'}`, {
    hint: 'See whether peers and orderers run: healthchain doctor asks each gateway.',
    cause: error,
  });
}

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
