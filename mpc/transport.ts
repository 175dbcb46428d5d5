import { discard } from '../protocol/bytes.ts';

/**
 * What the relay offers a party: byte frames to and from each peer of the session, in order. Nothing is promised about
 * secrecy or honesty; `mpc/session` adds both.
 */
export interface Relay {
  /** Resolves when the frame is on its way and there is room for another. Its memory is then the sender's again. */
  send(to: string, frame: Uint8Array): Promise<void>;
  /** The next frame that claims to be from this peer, the receiver's own. Rejects with a `Fault` when the session ended. */
  receive(from: string): Promise<Uint8Array>;
}

/** Authenticated, confidential messages between the parties of one session, named by round. */
export interface Transport {
  /** Identifies the session; commitments are bound to it. */
  readonly session: string;
  readonly self: string;
  /** All other parties, in roster order. */
  readonly peers: readonly string[];
  send(to: string, round: string, message: Uint8Array): Promise<void>;
  receive(from: string, round: string): Promise<Uint8Array>;
}

/** Random bytes; the platform's generator in production, a seeded stream in the test world. */
export type RandomSource = (bytes: number) => Uint8Array;

/**
 * One round: a message to every peer, then one from every peer. All sends are under way before the first receive, so
 * that no order of arrival can block it.
 *
 * Cost: one round, n-1 messages each way.
 */
export async function exchange(
  transport: Transport,
  round: string,
  messageFor: (peer: string) => Uint8Array,
): Promise<ReadonlyMap<string, Uint8Array>> {
  return meet(transport, round, (peer) => transport.send(peer, round, messageFor(peer)));
}

/** As `exchange`, for large messages that each go to one peer: their memory is given back as soon as they are sent. */
export async function exchangeLarge(
  transport: Transport,
  round: string,
  messageFor: (peer: string) => Uint8Array,
): Promise<ReadonlyMap<string, Uint8Array>> {
  return meet(transport, round, async (peer) => {
    const message = messageFor(peer);
    await transport.send(peer, round, message);
    discard(message);
  });
}

async function meet(
  transport: Transport,
  round: string,
  sendTo: (peer: string) => Promise<void>,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const sent = Promise.all(transport.peers.map(sendTo));
  const received = new Map<string, Uint8Array>();
  const receiving = (async () => {
    for (const peer of transport.peers) received.set(peer, await transport.receive(peer, round));
  })();
  await Promise.all([sent, receiving]);
  return received;
}
