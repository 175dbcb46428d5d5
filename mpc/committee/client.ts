import { concatBytes, equalBytes } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import type { Circuit } from '../boolean/circuit.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import { fingerprint } from '../boolean/fingerprint.ts';
import type { RandomSource, Transport } from '../transport.ts';
import type { Committee } from './committee.ts';
import { CONTENT, decodeEntered, enteredBytes, receiveFromAll, roundsOf, splitAmong } from './messages.ts';

/**
 * A hospital outside the committee: it hands its bits to the members in shares, makes sure that they were entered as it
 * sent them, and takes for the outcome what all members say alike (docs/boolean.md §10).
 */
export class CommitteeClient implements Evaluator {
  readonly roster: readonly string[];
  readonly self: string;
  readonly #channel: Transport;
  readonly #members: readonly string[];
  readonly #random: RandomSource;
  readonly #name: string;
  #computations = 0;

  constructor(channel: Transport, { hospitals, members }: Committee, random: RandomSource, name: string) {
    this.roster = hospitals;
    this.self = channel.self;
    this.#channel = channel;
    this.#members = members;
    this.#random = random;
    this.#name = name;
  }

  /**
   * Cost: four messages, to or from each member; own input bits/8 + 16 and one byte to each, and from each 144 bytes and the
   * output. Errors: `Abort INPUT_FORGED` names a member that entered other bits for us; `EQUIVOCATION`, `FORGED_FRAME`.
   */
  async compute(circuit: Circuit, own: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const rounds = roundsOf(`${this.#name}/${this.#computations++}`);
    const shares = splitAmong(this.#members.length, concatBytes(...own), this.#random);
    await this.#send(rounds.share, (place) => shares[place]!);
    await this.#verifyEntered(rounds, shares);
    const lengths = circuit.outputs.map((wire) => circuit.lanes[wire]! / 8);
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const opened = await receiveFromAll(this.#channel, this.#members, rounds.opened, total);
    let at = 0;
    return lengths.map((length) => Uint8Array.from(opened.subarray(at, (at += length))));
  }

  /** Nothing is kept here. */
  end(): void {}

  /** All members say the same, so what the honest one among them says, who checked the tags of what others entered. */
  async #verifyEntered(rounds: ReturnType<typeof roundsOf>, shares: readonly Uint8Array[]): Promise<void> {
    const bytes = enteredBytes(this.#members.length);
    const told = await receiveFromAll(this.#channel, this.#members, rounds.entered, bytes);
    const { key, fingerprints } = decodeEntered(told);
    const forger = shares.findIndex((share, place) => !equalBytes(fingerprint(key, share), fingerprints[place]!));
    await this.#send(rounds.answer, () => Uint8Array.of(forger < 0 ? CONTENT : 1 + forger));
    if (forger < 0) return;
    const party = this.#members[forger]!;
    throw new Abort('INPUT_FORGED', `${party} entered something else for us than we sent it: nothing was opened`, {
      party,
      round: rounds.entered,
    });
  }

  async #send(round: string, messageFor: (place: number) => Uint8Array): Promise<void> {
    await Promise.all(this.#members.map((member, place) => this.#channel.send(member, round, messageFor(place))));
  }
}
