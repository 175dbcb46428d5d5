import type { ProgressEvent } from './events.ts';

interface Log {
  events: { readonly id: number; readonly event: ProgressEvent }[];
  /** Commitments told already: by the hospital, and again by the ledger. */
  readonly committed: Set<string>;
  finished: boolean;
  readonly listeners: Set<() => void>;
}

/** Events of one query beyond which the hospitals' passing stages of earlier steps are forgotten. */
const KEEP = 2000;
const PASSING: ReadonlySet<ProgressEvent['stage']> = new Set([
  'joined',
  'scanning',
  'committed',
  'deciding',
  'agreed',
  'waiting',
]);

/** What happened to each query so far, to be replayed to whoever asks, and then told live. */
export class Progress {
  readonly #logs = new Map<string, Log>();
  #next = 1;

  /** Adds an event unless the query's last word said the same or it has finished. */
  add(query: string, event: ProgressEvent): void {
    const log = this.#log(query);
    if (log.finished) return;
    if (saysSame(log, event)) return;
    if (log.events.length >= KEEP) log.events = thinned(log.events);
    log.events.push({ id: this.#next++, event });
    if (event.stage === 'finished') {
      log.finished = true;
      log.events = log.events.filter((each) => !PASSING.has(each.event.stage));
    }
    for (const wake of [...log.listeners]) wake();
  }

  /** Everything after event `after`, then what comes, until the query has finished or the signal ends it. */
  async *listen(
    query: string,
    after: number,
    signal: AbortSignal,
  ): AsyncGenerator<{ id: number; event: ProgressEvent }> {
    const log = this.#log(query);
    let last = after;
    while (!signal.aborted) {
      const fresh = log.events.filter((each) => each.id > last);
      for (const each of fresh) {
        yield each;
        last = each.id;
      }
      if (fresh.length > 0) continue;
      if (log.finished) return;
      await woken(log, signal);
    }
  }

  #log(query: string): Log {
    const known = this.#logs.get(query);
    if (known !== undefined) return known;
    const fresh: Log = { events: [], committed: new Set(), finished: false, listeners: new Set() };
    this.#logs.set(query, fresh);
    return fresh;
  }
}

/** A stage that a hospital reported and the ledger then shows is told once; so is a wait that goes on. */
function saysSame(log: Log, event: ProgressEvent): boolean {
  if (event.stage !== 'committed') {
    const last = log.events[log.events.length - 1];
    return last !== undefined && JSON.stringify(last.event) === JSON.stringify(event);
  }
  const key = `${event.session} ${event.step} ${event.hospital}`;
  if (log.committed.has(key)) return true;
  log.committed.add(key);
  return false;
}

function thinned(events: Log['events']): Log['events'] {
  if (events.length < KEEP) return events;
  const passing = events.filter((each) => PASSING.has(each.event.stage));
  const kept = new Set(passing.slice(-KEEP / 2));
  return events.filter((each) => !PASSING.has(each.event.stage) || kept.has(each));
}

function woken(log: Log, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = (): void => {
      log.listeners.delete(wake);
      signal.removeEventListener('abort', wake);
      resolve();
    };
    log.listeners.add(wake);
    signal.addEventListener('abort', wake);
  });
}
