import type { ServerResponse } from 'node:http';
import { Misuse, Refusal } from '../../protocol/errors.ts';
import { encodeFrame, MAX_FRAME, type Frame, type PullRequest } from '../../protocol/frame.ts';
import type { Limits } from '../config.ts';
import type { Metrics } from '../metrics.ts';
import type { Connection } from '../relay/connection.ts';
import type { Connections } from '../relay/connections.ts';
import { peerGone, Pull } from './pull.ts';

/** The streams of one connection. Numbers are never used twice, so that a late chunk cannot enter another stream. */
interface Numbered {
  last: number;
  readonly open: Map<number, Pull>;
}

type StreamFrame = Extract<Frame, { type: 'chunk' | 'end' | 'cancel' }>;

/** All answer streams, from hospitals to researchers. */
export class Streams {
  readonly #connections: Connections;
  readonly #limits: Limits;
  readonly #deadline: number;
  readonly #metrics: Metrics;
  readonly #byConnection = new Map<Connection, Numbered>();
  readonly #byResearcher = new Map<string, number>();
  #count = 0;

  constructor(of: { connections: Connections; limits: Limits; deadline: number; metrics: Metrics }) {
    this.#connections = of.connections;
    this.#limits = of.limits;
    this.#deadline = of.deadline;
    this.#metrics = of.metrics;
  }

  /**
   * Asks a hospital for what it holds and streams it into an HTTP response. `Fault PEER_GONE` when it is not
   * connected; `Refusal TOO_MANY` over the limits; `Refusal TOO_LARGE`, `Misuse MALFORMED` for a request that no frame holds.
   */
  open(of: { hospital: string; researcher: string; request: PullRequest; response: ServerResponse }): Pull {
    const connection = this.#connections.get(of.hospital);
    if (connection === undefined) throw peerGone(of.hospital);
    const mine = this.#byResearcher.get(of.researcher) ?? 0;
    if (mine >= this.#limits.streamsPerResearcher || this.#count >= this.#limits.streams) {
      throw new Refusal('TOO_MANY', `${mine} answer streams are open already`, { hint: 'Fetch fewer at a time.' });
    }
    const numbered = this.#numbered(connection);
    const stream = numbered.last + 1;
    const ask = encodePull(stream, of.request);
    numbered.last = stream;
    const pull = new Pull({
      connection,
      stream,
      response: of.response,
      window: this.#limits.window,
      deadline: this.#deadline,
      metrics: this.#metrics,
      done: () => {
        numbered.open.delete(stream);
        this.#add(of.researcher, -1);
      },
    });
    numbered.open.set(stream, pull);
    this.#add(of.researcher, 1);
    pull.start(ask);
    return pull;
  }

  /**
   * Takes a frame of a stream, and the bytes it came in; returns the rule it breaks, if any. What comes after a stream's end is ignored:
   * it was under way.
   */
  receive(from: Connection, frame: StreamFrame, bytes: Buffer): string | undefined {
    const numbered = this.#byConnection.get(from);
    const pull = numbered?.open.get(frame.stream);
    if (pull === undefined) {
      return frame.stream === 0 || frame.stream > (numbered?.last ?? 0) ? 'unknown stream' : undefined;
    }
    if (frame.type === 'chunk') return pull.chunk(bytes);
    if (frame.type === 'end') pull.end();
    else pull.cancelled(frame.error);
    return undefined;
  }

  /** A hospital's connection ended, and its streams with it. */
  lost(connection: Connection): void {
    const numbered = this.#byConnection.get(connection);
    this.#byConnection.delete(connection);
    for (const pull of [...(numbered?.open.values() ?? [])]) pull.hospitalGone();
  }

  #numbered(connection: Connection): Numbered {
    const known = this.#byConnection.get(connection);
    if (known !== undefined) return known;
    const fresh = { last: 0, open: new Map<number, Pull>() };
    this.#byConnection.set(connection, fresh);
    return fresh;
  }

  #add(researcher: string, change: 1 | -1): void {
    this.#count += change;
    this.#metrics.streams.set(this.#count);
    const mine = (this.#byResearcher.get(researcher) ?? 0) + change;
    if (mine === 0) this.#byResearcher.delete(researcher);
    else this.#byResearcher.set(researcher, mine);
  }
}

/** A request too long for a frame would cost the hospital its connection: it is refused here. */
function encodePull(stream: number, request: PullRequest): Uint8Array {
  let bytes: Uint8Array;
  try {
    bytes = encodeFrame({ type: 'pull', stream, request });
  } catch (cause) {
    // A lone surrogate is valid JSON, but has no canonical form.
    throw new Misuse('MALFORMED', 'a text in this request is not Unicode', { cause });
  }
  if (bytes.length <= MAX_FRAME) return bytes;
  throw new Refusal('TOO_LARGE', `this request takes ${bytes.length} bytes where ${MAX_FRAME} fit into a frame`);
}
