import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import { FINGERPRINT_BYTES, PAD_LANES } from '../boolean/fingerprint.ts';
import { xorBytes } from '../boolean/tags.ts';
import type { RandomSource, Transport } from '../transport.ts';

/** The messages between a client and the members in one computation, in their order; names are unique in the session. */
export const roundsOf = (computation: string) =>
  ({
    /** client to member: its share of the client's bits. */
    share: `${computation}/share`,
    /** member to client: fingerprints of what all members entered for it. */
    entered: `${computation}/entered`,
    /** client to member: whether they are those of what it sent. */
    answer: `${computation}/answer`,
    /** member to client: the opened bits. */
    opened: `${computation}/opened`,
  }) as const;

const PAD_BYTES = PAD_LANES / 8;

/** Bytes of a share of so many lanes, with its pad. */
export const shareBytes = (lanes: number): number => lanes / 8 + PAD_BYTES;

/** Random strings that add up to the bits, one for each member, each with a random pad of its own behind it. */
export function splitAmong(members: number, bits: Uint8Array, random: RandomSource): Uint8Array[] {
  const shares = Array.from({ length: members }, () => random(bits.length + PAD_BYTES));
  const last = shares.at(-1)!.subarray(0, bits.length);
  last.set(bits);
  for (const share of shares.slice(0, -1)) xorBytes(last, last, share.subarray(0, bits.length));
  return shares;
}

/** What each member tells a client before anything opens: the key, and the fingerprint of each member's share of its bits. */
export interface Entered {
  readonly key: Uint8Array;
  readonly fingerprints: readonly Uint8Array[];
}

export const enteredBytes = (members: number): number => FINGERPRINT_BYTES * (1 + members);

export const encodeEntered = ({ key, fingerprints }: Entered): Uint8Array => concatBytes(key, ...fingerprints);

/** `bytes` is of `enteredBytes`. */
export function decodeEntered(bytes: Uint8Array): Entered {
  const part = (i: number): Uint8Array => bytes.subarray(FINGERPRINT_BYTES * i, FINGERPRINT_BYTES * (i + 1));
  const members = bytes.length / FINGERPRINT_BYTES - 1;
  return { key: part(0), fingerprints: Array.from({ length: members }, (_, i) => part(1 + i)) };
}

/** A client's answer is one byte: 0, or 1 and more for the place of the member that entered something else. */
export const CONTENT = 0;

/** A message of a known length: `Abort FORGED_FRAME` otherwise, naming the sender. */
export async function receiveExactly(
  transport: Transport,
  party: string,
  round: string,
  bytes: number,
): Promise<Uint8Array> {
  const message = await transport.receive(party, round);
  if (message.length === bytes) return message;
  throw new Abort('FORGED_FRAME', `a message of ${party} has the wrong length`, { party, round });
}

/**
 * What all members say alike: `Abort EQUIVOCATION` otherwise, which names nobody, for a client cannot tell which of them is
 * honest.
 */
export async function receiveFromAll(
  transport: Transport,
  members: readonly string[],
  round: string,
  bytes: number,
): Promise<Uint8Array> {
  const messages: Uint8Array[] = [];
  for (const member of members) messages.push(await receiveExactly(transport, member, round, bytes));
  const other = messages.findIndex((message) => !equalBytes(message, messages[0]!));
  if (other < 0) return messages[0]!;
  throw new Abort('EQUIVOCATION', `${members[0]} and ${members[other]} of the committee told us two different things`, {
    round,
  });
}
