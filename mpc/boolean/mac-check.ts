import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import type { RandomSource } from '../transport.ts';
import type { Broadcasts } from './broadcast.ts';
import { combineCoin, commitTo } from './coin.ts';
import { PolynomialHash } from './universal-hash.ts';

const RANDOMNESS = 32;
const COMMITMENT = 32;
const COIN = 32;
const HASH = 16;

/** What a party commits to ahead, with what opens it. */
interface Sealed {
  readonly label: string;
  readonly randomness: Uint8Array;
  readonly message: Uint8Array;
  readonly commitment: Uint8Array;
}

/**
 * The check of everything that was opened (docs/boolean.md §4). For each opened bit v with tag shares m_i, P_i keeps
 * t_i = m_i + v Delta_i; the t_i of all parties add up to zero exactly when v is the value that was shared. A joint coin chi,
 * tossed after everything is opened, fixes one linear combination of them; each party commits to its share of it and opens.
 *
 * A wrong bit passes if the sender guesses the honest parties' sum of Delta_i (2^-128) or the coin hits a root of the
 * polynomial (at most the number of checked bits in 2^128). Damgard, Pastro, Smart, Zakarias, CRYPTO 2012 (SPDZ);
 * Frederiksen, Keller, Orsini, Scholl, ASIACRYPT 2015 for bits.
 *
 * The contribution to the next coin is always committed ahead of time, so that tossing it takes one round.
 */
export class MacCheck {
  readonly #broadcasts: Broadcasts;
  readonly #random: RandomSource;
  #pending: Uint8Array[] = [];
  #coins = 0;
  #coin: Sealed;
  #coinCommitments: readonly Uint8Array[] = [];

  constructor(broadcasts: Broadcasts, random: RandomSource) {
    this.#broadcasts = broadcasts;
    this.#random = random;
    this.#coin = this.#sealCoin();
  }

  /** Our commitment to the first coin, for the session's first frame; 32 bytes. */
  get firstCommitment(): Uint8Array {
    return this.#coin.commitment;
  }

  /** Everybody's commitment to the first coin, in roster order. */
  begin(commitments: readonly Uint8Array[]): void {
    this.#coinCommitments = commitments;
  }

  /** Adds t_i of opened bits: 16 bytes each. The memory is kept until the check. */
  add(tags: Uint8Array): void {
    this.#pending.push(tags);
  }

  /**
   * Checks all bits opened so far. `Abort MAC_CHECK` if one of them was not what was shared: nobody can say whose doing it
   * was. `Abort COMMITMENT` names a party that opened something else than it committed to.
   *
   * Cost: three rounds, 128, 64 and 80 bytes to each peer; none if nothing was opened since the last check.
   */
  async run(): Promise<void> {
    if (this.#pending.length === 0) return;
    const coin = await this.tossCoin();
    const hash = new PolynomialHash(coin.subarray(0, HASH));
    for (const tags of this.#pending) hash.update(tags);
    this.#pending = [];

    const sealed = this.#seal(`tags/${this.#coins}`, hash.finish());
    const { messages: commitments } = await this.#broadcasts.round(sealed.commitment);
    const { messages: openings } = await this.#broadcasts.round(concatBytes(sealed.randomness, sealed.message));
    const total = new Uint8Array(HASH);
    for (const share of this.#verifyOpenings(sealed.label, commitments, openings, HASH)) {
      for (let i = 0; i < HASH; i++) total[i]! ^= share[i]!;
    }
    if (total.some((byte) => byte !== 0)) {
      throw new Abort('MAC_CHECK', 'opened bits are not what was shared: a party sent wrong shares', {
        hint: 'Nothing more is opened. The random material of this roster is void.',
      });
    }
  }

  /**
   * 32 bytes that nobody knew or could choose before this round: the contributions were committed to earlier.
   *
   * Cost: one round, 128 bytes to each peer.
   */
  async tossCoin(): Promise<Uint8Array> {
    const { label, randomness, message } = this.#coin;
    const next = this.#sealCoin();
    const { messages } = await this.#broadcasts.round(concatBytes(randomness, message, next.commitment));
    const openings = messages.map((sent) => sent.subarray(0, RANDOMNESS + COIN));
    const contributions = this.#verifyOpenings(label, this.#coinCommitments, openings, COIN);
    this.#coin = next;
    this.#coinCommitments = messages.map((sent) => sent.subarray(RANDOMNESS + COIN));
    return combineCoin(contributions);
  }

  #verifyOpenings(
    label: string,
    commitments: readonly Uint8Array[],
    openings: readonly Uint8Array[],
    length: number,
  ): Uint8Array[] {
    const { roster, transport } = this.#broadcasts;
    return roster.map((party, i) => {
      const randomness = openings[i]!.subarray(0, RANDOMNESS);
      const message = openings[i]!.subarray(RANDOMNESS, RANDOMNESS + length);
      if (!equalBytes(commitTo(transport.session, label, party, randomness, message), commitments[i]!)) {
        throw new Abort('COMMITMENT', `${party} opened something else than it committed to`, { party, round: label });
      }
      return message;
    });
  }

  #sealCoin(): Sealed {
    return this.#seal(`coin/${this.#coins++}`, this.#random(COIN));
  }

  #seal(what: string, message: Uint8Array): Sealed {
    const { transport, name } = this.#broadcasts;
    const label = `${name}/${what}`;
    const randomness = this.#random(RANDOMNESS);
    const commitment = commitTo(transport.session, label, transport.self, randomness, message);
    return { label, randomness, message, commitment };
  }
}

/** Bytes of the commitment in the session's first frame. */
export const FIRST_COMMITMENT = COMMITMENT;
/** Rounds of one check. */
export const CHECK_ROUNDS = 3;
/** Bytes to each peer of one coin, with the transcript hash. */
export const COIN_BYTES = 32 + RANDOMNESS + COIN + COMMITMENT;
/** Bytes to each peer of one check, with the transcript hash of each frame. */
export const CHECK_BYTES = COIN_BYTES + (32 + COMMITMENT) + (32 + RANDOMNESS + HASH);
