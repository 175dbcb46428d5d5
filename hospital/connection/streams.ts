import { asHealthchainError, Fault } from '../../protocol/errors.ts';
import type { Frame, PullRequest } from '../../protocol/frame.ts';

type ChunkSource = (request: PullRequest) => AsyncIterable<Uint8Array>;

interface Stream {
  credit: number;
  cancelled: boolean;
  wake: (() => void) | undefined;
}

/** Streams at a time; a researcher who asks for more waits. */
const STREAM_LIMIT = 256;

/**
 * Serves what the researcher pulls. Sends as many chunks as the coordinator gave credit for, so that a slow researcher
 * holds up its own stream and nothing else, and the relay never has to store a share.
 */
export class Streams {
  readonly #send: (frame: Frame) => Promise<void>;
  readonly #source: ChunkSource;
  readonly #open = new Map<number, Stream>();

  constructor(send: (frame: Frame) => Promise<void>, source: ChunkSource) {
    this.#send = send;
    this.#source = source;
  }

  /** Takes pull, credit and cancel frames. Never rejects: what fails is told to the other side of the stream. */
  handle(frame: Extract<Frame, { type: 'pull' | 'credit' | 'cancel' }>): void {
    if (frame.type === 'pull') {
      void this.#serve(frame.stream, frame.request);
      return;
    }
    const stream = this.#open.get(frame.stream);
    if (stream === undefined) return;
    if (frame.type === 'credit') stream.credit += frame.chunks;
    else stream.cancelled = true;
    stream.wake?.();
  }

  /** The connection is gone, and all its streams with it. */
  cancelAll(): void {
    for (const stream of this.#open.values()) {
      stream.cancelled = true;
      stream.wake?.();
    }
  }

  async #serve(id: number, request: PullRequest): Promise<void> {
    const stream: Stream = { credit: 0, cancelled: false, wake: undefined };
    try {
      if (this.#open.size >= STREAM_LIMIT)
        throw new Fault('NETWORK', 'too many streams at once', { hint: 'Try again in a moment.' });
      this.#open.set(id, stream);
      for await (const payload of this.#source(request)) {
        while (stream.credit === 0 && !stream.cancelled) await new Promise<void>((resolve) => (stream.wake = resolve));
        if (stream.cancelled) return;
        stream.credit--;
        await this.#send({ type: 'chunk', stream: id, payload });
      }
      await this.#send({ type: 'end', stream: id });
    } catch (error) {
      const known = asHealthchainError(error, (cause) => new Fault('INTERNAL', 'the stream broke off', { cause }));
      await this.#send({ type: 'cancel', stream: id, error: known.toJSON() }).catch(() => undefined);
    } finally {
      this.#open.delete(id);
    }
  }
}
