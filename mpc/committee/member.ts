import { concatBytes } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import type { Circuit } from '../boolean/circuit.ts';
import type { BooleanSession } from '../boolean/engine.ts';
import type { Evaluator } from '../boolean/evaluator.ts';
import type { Transport } from '../transport.ts';
import type { Committee } from './committee.ts';
import { CONTENT, encodeEntered, receiveExactly, roundsOf, shareBytes, type Entered } from './messages.ts';
import { seatCircuit, type SeatedCircuit } from './seating.ts';

type Rounds = ReturnType<typeof roundsOf>;

/** A hospital of the committee: computes with the other members what all hospitals entered (docs/boolean.md §10). */
export class CommitteeMember implements Evaluator {
  readonly roster: readonly string[];
  readonly self: string;
  readonly #channel: Transport;
  readonly #committee: Committee;
  readonly #session: BooleanSession;
  readonly #name: string;
  #computations = 0;

  /** `session` is among the members alone. */
  constructor(channel: Transport, committee: Committee, session: BooleanSession, name: string) {
    this.roster = committee.hospitals;
    this.self = channel.self;
    this.#channel = channel;
    this.#committee = committee;
    this.#session = session;
    this.#name = name;
  }

  /**
   * Cost: five rounds among the members more than `computingCost`, and four messages, to or from each client. Nothing
   * opens before every client was content with what was entered for it.
   */
  async compute(circuit: Circuit, own: readonly Uint8Array[]): Promise<Uint8Array[]> {
    const rounds = roundsOf(`${this.#name}/${this.#computations++}`);
    const seated = seatCircuit(circuit, this.#committee);
    const shares = await this.#sharesOfClients(rounds, seated);
    const evaluated = await this.#session.evaluate(seated.circuit, [...own, ...shares]);
    const { key, fingerprints } = await this.#session.openFingerprints(evaluated.slice(seated.outputs));
    await this.#confirmEntered(rounds, { key, fingerprints });
    const checked = await this.#session.check(evaluated.slice(0, seated.outputs));
    const opened = await this.#session.openToAll(checked);
    await this.#tellClients(rounds.opened, () => concatBytes(...opened));
    return opened;
  }

  end(): void {
    this.#session.end();
  }

  async #sharesOfClients(rounds: Rounds, { clientLanes }: SeatedCircuit): Promise<Uint8Array[]> {
    const shares: Uint8Array[] = [];
    for (const [i, client] of this.#committee.clients.entries()) {
      shares.push(await receiveExactly(this.#channel, client, rounds.share, shareBytes(clientLanes[i]!)));
    }
    return shares;
  }

  /** Asks each client whether all members entered what it sent them. */
  async #confirmEntered(rounds: Rounds, { key, fingerprints }: Entered): Promise<void> {
    const { clients, members } = this.#committee;
    await this.#tellClients(rounds.entered, (i) =>
      encodeEntered({ key, fingerprints: fingerprints.slice(members.length * i, members.length * (i + 1)) }),
    );
    for (const client of clients) {
      const answer = (await receiveExactly(this.#channel, client, rounds.answer, 1))[0]!;
      if (answer === CONTENT) continue;
      const accused = members[answer - 1];
      throw new Abort(
        'INPUT_FORGED',
        `${client} says that ${accused ?? 'nobody'} entered other bits than it had sent`,
        {
          // Of others nobody can say who lies: the client, or the member.
          ...(accused === this.self || accused === undefined ? { party: client } : {}),
          round: rounds.answer,
          hint: 'Nothing was opened.',
        },
      );
    }
  }

  async #tellClients(round: string, messageFor: (i: number) => Uint8Array): Promise<void> {
    await Promise.all(this.#committee.clients.map((client, i) => this.#channel.send(client, round, messageFor(i))));
  }
}
