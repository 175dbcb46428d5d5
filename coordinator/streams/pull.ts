import type { ServerResponse } from 'node:http';
import { discard } from '../../protocol/bytes.ts';
import { CHUNK_HEADER, errorOf } from '../../protocol/frame.ts';
import { Fault, type ErrorRecord, type HealthchainError } from '../../protocol/errors.ts';
import type { Metrics } from '../metrics.ts';
import type { Connection } from '../relay/connection.ts';

export const SHARE_TYPE = 'application/vnd.healthchain.share';
const END = Buffer.alloc(4);

/**
 * One stream from a hospital to an HTTP reader: every chunk with its length (uint32, big-endian) before it, a length of
 * zero at the proper end. The hospital may be `window` chunks ahead of what the reader has taken; no more is ever held.
 */
export class Pull {
  /** Settles with the hospital's first word: resolves once the answer is under way, rejects with why there is none. */
  readonly begun: Promise<void>;
  readonly #connection: Connection;
  readonly #stream: number;
  readonly #response: ServerResponse;
  readonly #window: number;
  readonly #deadline: number;
  readonly #metrics: Metrics;
  readonly #done: () => void;
  readonly #begin = Promise.withResolvers<void>();
  #timer: NodeJS.Timeout | undefined;
  #state: 'waiting' | 'flowing' | 'done' = 'waiting';
  /** Chunks that the hospital may still send. */
  #credit = 0;
  /** Chunks that the reader has taken since credit was last given. */
  #taken = 0;

  constructor(of: {
    connection: Connection;
    stream: number;
    response: ServerResponse;
    window: number;
    deadline: number;
    metrics: Metrics;
    done: () => void;
  }) {
    this.#connection = of.connection;
    this.#stream = of.stream;
    this.#response = of.response;
    this.#window = of.window;
    this.#deadline = of.deadline;
    this.#metrics = of.metrics;
    this.#done = of.done;
    this.begun = this.#begin.promise;
    this.#response.once('close', this.#readerGone);
  }

  /** Sends the encoded `pull` frame and the first credit. */
  start(ask: Uint8Array): void {
    this.#connection.forward(ask);
    this.#grant(this.#window);
    this.#alive();
  }

  /** Passes on the payload of a chunk's frame, which it takes over; returns the rule it breaks, if any. */
  chunk(frame: Buffer): string | undefined {
    const length = frame.length - CHUNK_HEADER;
    if (length === 0) return 'empty chunk';
    if (this.#credit === 0) return 'chunk without credit';
    this.#credit--;
    this.#flow();
    // The length goes where the number of the stream was, right before the payload: nothing is copied.
    frame.writeUInt32BE(length, CHUNK_HEADER - 4);
    this.#response.write(frame.subarray(CHUNK_HEADER - 4), (error) => {
      discard(frame);
      this.#written(error);
    });
    this.#metrics.streamBytes.inc(length);
    return undefined;
  }

  end(): void {
    this.#flow();
    this.#finish();
    this.#response.end(END);
  }

  /** The hospital cannot serve it: an error status while there is time, else a visibly torn body. */
  cancelled(error: ErrorRecord | undefined): void {
    this.#fail(
      error === undefined
        ? new Fault('PEER_GONE', 'the hospital ended the stream', { party: this.#connection.organisation })
        : errorOf(error),
    );
  }

  hospitalGone(): void {
    this.#fail(peerGone(this.#connection.organisation));
  }

  /** Ends the stream from this side, and tells the hospital. */
  stop(error: HealthchainError): void {
    if (this.#state === 'done') return;
    this.#connection.send({ type: 'cancel', stream: this.#stream, error: error.toJSON() });
    this.#fail(error);
  }

  readonly #readerGone = (): void => {
    if (this.#state === 'done') return;
    this.#connection.send({ type: 'cancel', stream: this.#stream, error: undefined });
    this.#fail(new Fault('PEER_GONE', 'the reader went away'));
  };

  #written(error: Error | null | undefined): void {
    if (error || this.#state === 'done') return;
    this.#alive();
    this.#taken++;
    if (this.#taken * 4 >= this.#window) this.#grant(this.#taken);
  }

  #grant(chunks: number): void {
    this.#taken = 0;
    this.#credit += chunks;
    this.#connection.send({ type: 'credit', stream: this.#stream, chunks });
  }

  #flow(): void {
    this.#alive();
    if (this.#state !== 'waiting') return;
    this.#state = 'flowing';
    this.#response.writeHead(200, {
      'content-type': SHARE_TYPE,
      'cache-control': 'no-store',
      'x-accel-buffering': 'no',
    });
    this.#begin.resolve();
  }

  #alive(): void {
    if (this.#timer !== undefined) this.#timer.refresh();
    else this.#timer = setTimeout(() => this.stop(this.#late()), this.#deadline);
  }

  #late(): Fault {
    return new Fault('DEADLINE', 'the stream made no progress in time', { party: this.#connection.organisation });
  }

  #fail(error: HealthchainError): void {
    const before = this.#state;
    if (before === 'done') return;
    this.#finish();
    if (before === 'waiting') this.#begin.reject(error);
    else this.#response.destroy();
  }

  #finish(): void {
    this.#state = 'done';
    clearTimeout(this.#timer);
    this.#response.off('close', this.#readerGone);
    this.#done();
  }
}

export const peerGone = (hospital: string): Fault =>
  new Fault('PEER_GONE', `${hospital} is not connected to the coordinator`, {
    party: hospital,
    hint: 'It keeps what it holds: try again when it is back.',
  });
