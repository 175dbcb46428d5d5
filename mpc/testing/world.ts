import { createCipheriv, createHash } from 'node:crypto';
import { Fault } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { toHex } from '../../protocol/bytes.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Modulus, Transcript } from '../../protocol/session.ts';
import { CellVector } from '../cells.ts';
import type { Channel } from '../session/channel.ts';
import { openChannel, helloDigests, type SessionSetting } from '../session/handshake.ts';
import { CommittedInput, type AgreedInput } from '../sum/party.ts';
import type { RandomSource, Relay } from '../transport.ts';

/** A frame on its way, as the relay sees it. `place` counts the frames of this direction from 0. */
export interface Passing {
  readonly from: string;
  readonly to: string;
  readonly place: number;
  readonly frame: Uint8Array;
}

/** What the relay delivers instead: the frames in order; none to drop it. */
export type RelayHook = (passing: Passing) => readonly Uint8Array[];

/** A deterministic random stream, so that a failing run can be repeated from its logged seed. */
export function seededRandom(seed: string): RandomSource {
  const cipher = createCipheriv('aes-256-ctr', createHash('sha256').update(seed).digest(), Buffer.alloc(16));
  return (bytes) => new Uint8Array(cipher.update(Buffer.alloc(bytes)));
}

/** n parties in one process, over queues, with a hook that may corrupt, drop, repeat or reorder any frame. */
export class World {
  readonly seed: string;
  readonly roster: readonly string[];
  readonly session: string;
  readonly identities: ReadonlyMap<string, Identity>;
  readonly #queues = new Map<
    string,
    { frames: Uint8Array[]; waiting: ((frame: Uint8Array) => void)[]; sent: number }
  >();
  readonly #hook: RelayHook;
  readonly #deadline: number | 'idle';
  /** Counts sends and receives, to notice that nothing moves any more. */
  #moves = 0;

  /**
   * `deadline` in milliseconds, or `idle`: waiting ends as soon as nothing moves any more, which in one process, where
   * parties do no input or output of their own, is exactly when it would never end. `sameMembers` shares identities with
   * another world, for a second session among the same hospitals.
   */
  constructor(options: {
    parties: number;
    seed?: string;
    hook?: RelayHook;
    deadline?: number | 'idle';
    sameMembers?: World;
  }) {
    this.seed = options.seed ?? toHex(crypto.getRandomValues(new Uint8Array(8)));
    this.roster = Array.from({ length: options.parties }, (_, i) => `hospital-${String(i).padStart(3, '0')}`);
    this.session = toHex(hashBytes(LABEL.session, Buffer.from(this.seed)));
    this.identities =
      options.sameMembers?.identities ?? new Map(this.roster.map((party) => [party, Identity.generate()]));
    this.#hook = options.hook ?? (({ frame }) => [frame]);
    this.#deadline = options.deadline ?? 2000;
  }

  setting(self: string): SessionSetting {
    return {
      session: this.session,
      self,
      roster: this.roster,
      identityKeys: (party) => [this.identities.get(party)!.publicKey],
      ledger: { size: 7, root: '7'.repeat(64) },
    };
  }

  random(party: string): RandomSource {
    return seededRandom(`${this.seed}/${party}`);
  }

  relay(self: string): Relay {
    return {
      send: (to, sent) => {
        const place = this.#queue(self, to).sent++;
        const frame = Uint8Array.from(sent);
        for (const delivered of this.#hook({ from: self, to, place, frame })) this.deliver(self, to, delivered);
        return Promise.resolve();
      },
      receive: (from) => this.#next(from, self),
    };
  }

  /** Puts a frame into `to`'s queue as the relay could at any time, past the hook. */
  deliver(from: string, to: string, sent: Uint8Array): void {
    const frame = Uint8Array.from(sent);
    this.#moves++;
    const queue = this.#queue(from, to);
    const waiting = queue.waiting.shift();
    if (waiting === undefined) queue.frames.push(frame);
    else waiting(frame);
  }

  channel(self: string, setting: SessionSetting = this.setting(self)): Promise<Channel> {
    return openChannel(setting, this.relay(self), this.identities.get(self)!, this.random(self));
  }

  transcript(
    channel: Channel,
    commitments: readonly Uint8Array[],
    cells: number,
    step = 0,
    modulus: Modulus = 'l',
  ): Transcript {
    return {
      session: this.session,
      query: '1'.repeat(64),
      roster: this.roster,
      hellos: helloDigests(channel.setting, channel.hellos),
      ledger: channel.setting.ledger,
      step,
      plan: '2'.repeat(64),
      cells,
      modulus,
      commitments: commitments.map(toHex),
      receipts: Array.from({ length: step }, () => '3'.repeat(64)),
    };
  }

  commit(inputs: readonly (readonly bigint[])[]): CommittedInput[] {
    return this.roster.map(
      (party, i) => new CommittedInput(CellVector.fromBigInts(inputs[i]!), this.random(`${party}/r`)),
    );
  }

  /** Runs one whole step honestly at every party: from plain cells to inputs that all agreed on. */
  async agree(
    inputs: readonly (readonly bigint[])[],
    step = 0,
    modulus: Modulus = 'l',
  ): Promise<{ agreed: AgreedInput[]; commitments: Uint8Array[] }> {
    const channels = await Promise.all(this.roster.map((party) => this.channel(party)));
    const committed = this.commit(inputs);
    const commitments = committed.map((input) => input.commitment);
    const agreed = await Promise.all(
      committed.map((input, i) =>
        input.agree(channels[i]!, this.transcript(channels[i]!, commitments, inputs[i]!.length, step, modulus)),
      ),
    );
    return { agreed, commitments };
  }

  #queue(from: string, to: string): { frames: Uint8Array[]; waiting: ((frame: Uint8Array) => void)[]; sent: number } {
    const key = `${from}>${to}`;
    let queue = this.#queues.get(key);
    if (queue === undefined) this.#queues.set(key, (queue = { frames: [], waiting: [], sent: 0 }));
    return queue;
  }

  #next(from: string, to: string): Promise<Uint8Array> {
    const queue = this.#queue(from, to);
    this.#moves++;
    const ready = queue.frames.shift();
    if (ready !== undefined) return Promise.resolve(ready);
    return new Promise((resolve, reject) => {
      const stopWaiting = this.#atDeadline(() => {
        queue.waiting.splice(queue.waiting.indexOf(receive), 1);
        reject(new Fault('DEADLINE', `nothing came from ${from}`, { party: from }));
      });
      const receive = (frame: Uint8Array): void => {
        stopWaiting();
        resolve(frame);
      };
      queue.waiting.push(receive);
    });
  }

  /** Calls `expired` at the deadline; returns what prevents it. */
  #atDeadline(expired: () => void): () => void {
    if (this.#deadline !== 'idle') {
      const timer = setTimeout(expired, this.#deadline);
      return () => clearTimeout(timer);
    }
    let moves = this.#moves;
    const look = (): void => {
      if (moves === this.#moves) {
        expired();
      } else {
        moves = this.#moves;
        turn = setImmediate(look);
      }
    };
    let turn = setImmediate(look);
    return () => clearImmediate(turn);
  }
}

/** Makes a channel lie: `twist` sees each message that its party sends, and says what goes out instead; undefined: nothing. */
export function corrupt(
  channel: Channel,
  twist: (to: string, round: string, message: Uint8Array) => Uint8Array | undefined,
): Channel {
  const send = channel.send.bind(channel);
  channel.send = async (to, round, message) => {
    const twisted = twist(to, round, message);
    if (twisted !== undefined) await send(to, round, twisted);
  };
  return channel;
}
