import { Readable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';

/** Most items that are handed on at once, and that are read ahead. */
const MOST = 16;

/**
 * The items of a source in the groups in which they come: whatever is there when it is asked for, and what is read in the same
 * turn of the event loop. Nothing waits for what is not there yet, so that a reader who keeps up gets one at a time, and one
 * who falls behind gets more, and catches up by what is spent on each group once.
 */
export async function* together<T>(source: AsyncIterable<T>): AsyncGenerator<readonly T[]> {
  const ready = Readable.from(source, { objectMode: true, highWaterMark: MOST });
  let group: T[] = [];
  for await (const item of ready as AsyncIterable<T>) {
    group.push(item);
    if (ready.readableLength === 0 && group.length < MOST) await setImmediate();
    if (ready.readableLength > 0 && group.length < MOST) continue;
    yield group;
    group = [];
  }
}
