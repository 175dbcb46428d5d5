import type { Frame } from '../../protocol/frame.ts';

export type RelayFrame = Extract<Frame, { type: 'relay' }>;
type Kept = Pick<RelayFrame, 'from' | 'payload'>;

const MOST_FRAMES = 2000;
const MOST_SESSIONS = 64;

/** Frames of sessions that the ledger has not shown yet: the relay may be faster than the ledger. */
export class EarlyFrames {
  readonly #bySession = new Map<string, Kept[]>();

  /** What is too much is dropped: its session then fails by its deadline, as with a relay that loses frames. */
  keep({ session, from, payload }: RelayFrame): void {
    const frames = this.#bySession.get(session) ?? [];
    if (frames.length >= MOST_FRAMES || (frames.length === 0 && this.#bySession.size >= MOST_SESSIONS)) return;
    frames.push({ from, payload });
    this.#bySession.set(session, frames);
  }

  /** In the order in which they came. */
  take(session: string): readonly Kept[] {
    const frames = this.#bySession.get(session) ?? [];
    this.#bySession.delete(session);
    return frames;
  }
}
