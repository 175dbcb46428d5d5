import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { exchange, type RandomSource, type Transport } from '../transport.ts';

const HASH = 32;
const RANDOMNESS = 32;

/** All parties of a session in roster order, which is sorted. */
export const rosterOf = (transport: Transport): readonly string[] => [transport.self, ...transport.peers].sort();

/**
 * A commitment to `message`: SHA-256 over session, round, party, 32 random bytes and the message. Hiding and binding for
 * SHA-256 as random oracle. Nobody can pass on another party's commitment as its own, or one of another round or session.
 */
export const commitTo = (
  session: string,
  round: string,
  party: string,
  randomness: Uint8Array,
  message: Uint8Array,
): Uint8Array =>
  hashBytes(LABEL.commitment, Buffer.from(session), Buffer.from(round), Buffer.from(party), randomness, message);

/** A party's message of one round with its own commitment out and everybody's in hand: it can now be opened. */
export class Committed {
  readonly #transport: Transport;
  readonly #round: string;
  readonly #randomness: Uint8Array;
  readonly #message: Uint8Array;
  readonly #commitments: ReadonlyMap<string, Uint8Array>;

  constructor(
    transport: Transport,
    round: string,
    own: { readonly randomness: Uint8Array; readonly message: Uint8Array },
    commitments: ReadonlyMap<string, Uint8Array>,
  ) {
    this.#transport = transport;
    this.#round = round;
    this.#randomness = own.randomness;
    this.#message = own.message;
    this.#commitments = commitments;
  }

  /**
   * Everybody's message, own included, in roster order. With each opening travels a hash of all commitments, so that all
   * parties hold the same messages: `Abort EQUIVOCATION` otherwise. An opening that does not fit its commitment is
   * `Abort COMMITMENT`, of another length than our own `Abort FORGED_FRAME`; each names the peer.
   *
   * Cost: one round, 64 bytes and the message to each peer.
   */
  async open(): Promise<ReadonlyMap<string, Uint8Array>> {
    const transport = this.#transport;
    const round = `${this.#round}/open`;
    const roster = rosterOf(transport);
    const seen = hashBytes(LABEL.broadcast, ...roster.map((party) => this.#commitments.get(party)!));
    const frame = concatBytes(seen, this.#randomness, this.#message);
    const received = await exchange(transport, round, () => frame);
    return new Map(
      roster.map((party) => {
        if (party === transport.self) return [party, this.#message];
        const theirs = received.get(party)!;
        if (theirs.length !== frame.length) {
          throw new Abort('FORGED_FRAME', `the opening of ${party} has the wrong length`, { party, round });
        }
        if (!equalBytes(theirs.subarray(0, HASH), seen)) {
          throw new Abort('EQUIVOCATION', `${party} was sent other commitments than we were`, { party, round });
        }
        const randomness = theirs.subarray(HASH, HASH + RANDOMNESS);
        const message = theirs.subarray(HASH + RANDOMNESS);
        const expected = commitTo(transport.session, this.#round, party, randomness, message);
        if (!equalBytes(expected, this.#commitments.get(party)!)) {
          throw new Abort('COMMITMENT', `${party} opened something else than it committed to`, { party, round });
        }
        return [party, message];
      }),
    );
  }
}

/**
 * Commits to `message` and waits for everybody's commitment; nothing is revealed until `open`.
 *
 * Cost: one round, 32 bytes to each peer.
 */
export async function commit(
  transport: Transport,
  round: string,
  random: RandomSource,
  message: Uint8Array,
): Promise<Committed> {
  const randomness = random(RANDOMNESS);
  const own = commitTo(transport.session, round, transport.self, randomness, message);
  const received = await exchange(transport, `${round}/commit`, () => own);
  const commitments = new Map([...received, [transport.self, own]]);
  for (const [party, commitment] of received) {
    if (commitment.length !== HASH) {
      throw new Abort('FORGED_FRAME', `the commitment of ${party} has the wrong length`, { party, round });
    }
  }
  return new Committed(transport, round, { randomness, message }, commitments);
}

/**
 * Everybody's message, chosen before anybody saw another's: all commit, then all open. The messages have one length.
 *
 * Cost: two rounds, 96 bytes and the message to each peer. Errors: see `Committed.open`.
 */
export async function commitAndOpen(
  transport: Transport,
  round: string,
  random: RandomSource,
  message: Uint8Array,
): Promise<ReadonlyMap<string, Uint8Array>> {
  return (await commit(transport, round, random, message)).open();
}

/** The coin that committed contributions make: their XOR, uniform when one of them is. 32 bytes. */
export function combineCoin(contributions: Iterable<Uint8Array>): Uint8Array {
  const coin = new Uint8Array(32);
  for (const contribution of contributions) for (let i = 0; i < 32; i++) coin[i]! ^= contribution[i]!;
  return coin;
}

/**
 * 32 bytes that no proper subset of the parties can predict or bias, except by aborting (Blum, 1981).
 *
 * Cost: two rounds, 128 bytes to each peer. Errors: see `Committed.open`.
 */
export async function tossCoin(transport: Transport, round: string, random: RandomSource): Promise<Uint8Array> {
  return combineCoin((await commitAndOpen(transport, round, random, random(32))).values());
}
