import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import { canonicalText } from '../../protocol/canonical.ts';
import type { Engine } from './engine.ts';
import { HEARTBEAT_MS } from './wire.ts';

/**
 * Sends entries from `from` on as server-sent events, with the head that covers them after each batch, until the reader
 * goes away or the ledger closes. A quiet stream carries a heartbeat, so that proxies keep it and readers notice its death.
 */
export function streamEntries(context: Context, engine: Engine, from: number): Response {
  return streamSSE(context, async (stream) => {
    const gone = new AbortController();
    stream.onAbort(() => gone.abort());
    let next = from;
    await stream.writeSSE({ event: 'heartbeat', data: '' });
    while (!gone.signal.aborted && !engine.closed) {
      const head = engine.head();
      if (next < head.size) {
        for (; next < head.size; next++) {
          await stream.writeSSE({ event: 'entry', id: String(next), data: canonicalText(engine.entries[next]) });
        }
        await stream.writeSSE({ event: 'head', data: canonicalText(head) });
      } else if (!(await grew(engine, gone.signal))) {
        await stream.writeSSE({ event: 'heartbeat', data: '' });
      }
    }
  });
}

/** False when nothing came for the time of a heartbeat. */
async function grew(engine: Engine, gone: AbortSignal): Promise<boolean> {
  const quiet = AbortSignal.timeout(HEARTBEAT_MS);
  await engine.growth.next(AbortSignal.any([gone, quiet]));
  return !quiet.aborted;
}
