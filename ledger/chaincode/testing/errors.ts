import type { ErrorRecord } from '../../../protocol/errors.ts';

/** The error in a chaincode's message, bare or in the text that a peer or gateway puts around it. */
export function readErrorRecord(message: string): ErrorRecord | undefined {
  const at = message.indexOf('{"code":');
  if (at < 0) return undefined;
  return JSON.parse(message.slice(at, message.lastIndexOf('}') + 1)) as ErrorRecord;
}
