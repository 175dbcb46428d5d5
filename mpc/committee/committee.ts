import { fromHex, toHex } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { rosterOf, tossCoin } from '../boolean/coin.ts';
import type { RandomSource, Transport } from '../transport.ts';

/** Most hospitals that compute on shares among themselves; of more, so many do it for all. */
export const COMMITTEE_SIZE = 8;

/**
 * The hospitals that compute on shares for all hospitals of a session, the others being their clients
 * (docs/boolean.md §10). Public, and the same at all of them.
 *
 * What one honest member is enough for: nobody learns more than what is opened, and what is opened is right.
 */
export class Committee {
  readonly hospitals: readonly string[];
  /** In roster order. */
  readonly members: readonly string[];
  readonly clients: readonly string[];
  readonly coin: Uint8Array;

  constructor(session: string, hospitals: readonly string[], coin: Uint8Array, size = COMMITTEE_SIZE) {
    const drawn = new Set(drawMembers(session, hospitals, coin, size));
    this.hospitals = hospitals;
    this.members = hospitals.filter((party) => drawn.has(party));
    this.clients = hospitals.filter((party) => !drawn.has(party));
    this.coin = coin;
  }

  /**
   * Tosses a coin among all hospitals and draws the members by it. No party can foresee or choose the committee, the
   * coordinator included; one that dislikes it can stop the session, once for each session.
   *
   * Cost: two rounds, 128 bytes to each peer. Errors: see `Committed.open`.
   */
  static async elect(transport: Transport, random: RandomSource, size = COMMITTEE_SIZE): Promise<Committee> {
    const coin = await tossCoin(transport, 'committee', random);
    return new Committee(transport.session, rosterOf(transport), coin, size);
  }

  /** What the outcome of a step says of its committee. */
  get record(): NonNullable<Outcome['committee']> {
    return { coin: toHex(this.coin), members: [...this.members] };
  }
}

/** All hospitals by H(session, coin, hospital), the first `size` of them: for a uniform coin a uniform choice. */
function drawMembers(session: string, hospitals: readonly string[], coin: Uint8Array, size: number): string[] {
  const rank = (party: string): string =>
    toHex(hashBytes(LABEL.committee, Buffer.from(session), coin, Buffer.from(party)));
  return [...hospitals].sort((a, b) => (rank(a) < rank(b) ? -1 : 1)).slice(0, size);
}

/**
 * The committee that an outcome records is the one that its coin draws, and there is one exactly where the number of
 * hospitals asks for it: `Abort EQUIVOCATION` otherwise. Does not prove that the coin was tossed fairly: each hospital's
 * signature on the outcome says so.
 */
export function verifyCommittee({ committee }: Outcome, session: string, hospitals: readonly string[]): void {
  const due = hospitals.length > COMMITTEE_SIZE;
  if (due !== (committee !== undefined)) {
    throw other(due ? 'no committee computed for so many hospitals' : 'a committee computed for so few hospitals');
  }
  if (committee === undefined) return;
  const drawn = new Committee(session, hospitals, fromHex(committee.coin, 32));
  if (drawn.members.join() !== committee.members.join())
    throw other('the committee is not the one that its coin draws');
}

const other = (message: string): Abort =>
  new Abort('EQUIVOCATION', message, { round: 'committee', hint: 'The hospitals run another protocol than we do.' });
