import { inspect } from 'node:util';
import { equalBytes, fromHex, toHex } from '../../protocol/bytes.ts';
import { Abort, Misuse } from '../../protocol/errors.ts';
import { outcomeDigest, type Outcome } from '../../protocol/outcome.ts';
import { addScalars, type ScalarVector } from '../scalars.ts';
import { exchange, type RandomSource } from '../transport.ts';
import type { CellSet } from './cell-set.ts';
import { addResponse, challengeOf, Concealment } from './concealment.ts';
import { isElement, type AgreedInput } from './party.ts';

interface Response {
  readonly cells: ScalarVector;
  readonly blinding: Uint8Array;
}

/**
 * An agreed input, and which of its cells open: the only thing that can be sealed for the researcher.
 *
 *   AgreedInput ─release rule on shares─▶ DecidedInput ─▶ summed share
 */
export class DecidedInput {
  readonly input: AgreedInput;
  /** Undefined where no rule applies and every cell opens. */
  readonly outcome: Outcome | undefined;
  readonly #response: Response | undefined;

  private constructor(input: AgreedInput, outcome: Outcome | undefined, response: Response | undefined) {
    this.input = input;
    this.outcome = outcome;
    this.#response = response;
  }

  /** For a query without a release rule. */
  static everything(input: AgreedInput): DecidedInput {
    return new DecidedInput(input, undefined, undefined);
  }

  /**
   * Opens the cells of `released` and keeps the rest closed but bound (`Concealment`); then makes sure that all parties
   * decided alike. `answers` are the values opened on shares, `committee` who computed on them, for the outcome.
   *
   * Cost: two rounds, one when every cell opens; 32 bytes to each peer in each.
   * Errors: `Abort EQUIVOCATION` when a peer holds another outcome, `Abort VERIFICATION_FAILED` for an announcement that
   * is no element; both name the peer.
   */
  static async deciding(
    input: AgreedInput,
    released: CellSet,
    answers: Outcome['answers'],
    random: RandomSource,
    committee?: Outcome['committee'],
  ): Promise<DecidedInput> {
    if (released.length !== input.cells) throw new Misuse('OUT_OF_ORDER', 'decided over another number of cells');
    if (input.modulus !== 'l') throw new Misuse('OUT_OF_ORDER', 'cells can only be withheld from shares mod l');
    const concealment = released.full ? undefined : new Concealment(released, random);
    const announcements = concealment === undefined ? [] : await exchangeAnnouncements(input, concealment);
    const outcome: Outcome = {
      released: released.toBase64(),
      announcements: announcements.map(toHex),
      answers,
      ...(committee === undefined ? {} : { committee }),
    };
    const response = concealment?.respond(challengeOf(input.agreement, released, announcements));
    await confirmOutcome(input, outcome);
    return new DecidedInput(input, outcome, response);
  }

  get cells(): number {
    return this.input.cells;
  }

  /** As `AgreedInput.shareChunks`, with the withheld cells concealed. */
  *shareChunks(chunkCells: number): Generator<Uint8Array> {
    let first = 0;
    for (const chunk of this.input.shareChunks(chunkCells)) {
      yield this.#response === undefined ? chunk : addResponse(chunk, first, this.#response.cells);
      first += chunkCells;
    }
  }

  /** The share of the sum of blindings. 32 bytes. */
  blindingShare(): Uint8Array {
    const share = this.input.blindingShare();
    return this.#response === undefined ? share : addScalars(share, this.#response.blinding);
  }

  [inspect.custom](): string {
    return `DecidedInput(${this.cells} cells, redacted)`;
  }
}

async function exchangeAnnouncements(input: AgreedInput, own: Concealment): Promise<Uint8Array[]> {
  const { channel, transcript } = input;
  const round = `announce/${transcript.step}`;
  const received = await exchange(channel, round, () => own.announcement);
  return transcript.roster.map((party) => {
    if (party === channel.self) return own.announcement;
    const theirs = received.get(party)!;
    if (theirs.length === 32 && isElement(theirs)) return theirs;
    throw new Abort('VERIFICATION_FAILED', `the announcement of ${party} is none: nothing was opened`, {
      party,
      round,
    });
  });
}

async function confirmOutcome({ channel, transcript }: AgreedInput, outcome: Outcome): Promise<void> {
  const round = `decide/${transcript.step}`;
  const own = fromHex(outcomeDigest(outcome), 32);
  for (const [peer, theirs] of await exchange(channel, round, () => own)) {
    if (equalBytes(theirs, own)) continue;
    throw new Abort('EQUIVOCATION', `${peer} holds another outcome of the release rule than we do`, {
      party: peer,
      round,
      hint: 'Nothing was opened.',
    });
  }
}
