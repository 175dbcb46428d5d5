import { setTimeout as pause } from 'node:timers/promises';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Broadcast } from './broadcast.ts';
import type { Engine } from './engine.ts';
import { HEARTBEAT_MS } from './wire.ts';

/**
 * Sends what follows the first `from` entries as server-sent events, each batch of entries with the head that covers it, until
 * the reader goes away or the ledger closes. A quiet stream carries a heartbeat, so that proxies keep it and readers
 * notice its death.
 */
export function streamEntries(context: Context, engine: Engine, broadcast: Broadcast, from: number): Response {
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    const leave = broadcast.join();
    stream.onAbort(() => gone.abort());
    try {
      let next = from;
      await stream.writeSSE({ event: 'heartbeat', data: '' });
      while (!gone.signal.aborted && !engine.closed) {
        if (next < engine.head().size) {
          const wait = broadcast.wait();
          if (wait > 0) await pause(wait);
          const { size, text } = broadcast.batch(next);
          await stream.writeSSE({ event: 'batch', data: text });
          next = size;
        } else if (!(await grew(engine, gone.signal))) {
          await stream.writeSSE({ event: 'heartbeat', data: '' });
        }
      }
    } finally {
      leave();
    }
  });
}

/** False when nothing came for the time of a heartbeat. */
async function grew(engine: Engine, gone: AbortSignal): Promise<boolean> {
  const quiet = AbortSignal.timeout(HEARTBEAT_MS);
  await engine.growth.next(AbortSignal.any([gone, quiet]));
  return !quiet.aborted;
}
