import type { LocalFigures } from './local-data.ts';

/** After this long, records may have changed too much since: the session scans for itself. */
const FRESH_MS = 30_000;

interface Begun {
  readonly query: string;
  readonly figures: Promise<LocalFigures>;
  readonly drop: NodeJS.Timeout;
}

/**
 * The scan for a query that this hospital is approving, begun while the others decide and the session is formed. What it
 * finds stays in this process and is forgotten where no session comes. One at a time: a query that comes meanwhile is
 * scanned in its session.
 */
export class ScanAhead {
  #begun: Begun | undefined;

  /** Does nothing while another scan is kept. */
  begin(query: string, scan: () => Promise<LocalFigures>): void {
    if (this.#begun !== undefined) return;
    const figures = scan();
    const begun = { query, figures, drop: setTimeout(() => this.#forget(begun), FRESH_MS).unref() };
    this.#begun = begun;
    // A scan that fails is made again in the session, which tells everybody why.
    figures.catch(() => this.#forget(begun));
  }

  /** What was begun for this query, to one caller; undefined where nothing was, or too long ago. */
  take(query: string): Promise<LocalFigures> | undefined {
    const begun = this.#begun;
    if (begun?.query !== query) return undefined;
    this.#forget(begun);
    return begun.figures;
  }

  close(): void {
    if (this.#begun !== undefined) this.#forget(this.#begun);
  }

  #forget(begun: Begun): void {
    clearTimeout(begun.drop);
    if (this.#begun === begun) this.#begun = undefined;
  }
}
