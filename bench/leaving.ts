import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Release = () => Promise<void> | void;

/** What is still held: processes and folders, the newest last. */
const held = new Set<Release>();
let leaving = false;

/** Runs with something that must be given back whichever way the bench ends, Ctrl-C included. */
export async function holding<T>(release: Release, run: () => Promise<T>): Promise<T> {
  held.add(release);
  try {
    return await run();
  } finally {
    // After an interrupt everything is given back in order, and what still runs here only waits for the end.
    if (leaving) await new Promise(() => undefined);
    held.delete(release);
    await release();
  }
}

/** Runs with an empty folder that goes afterwards. */
export function withFolder<T>(run: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'healthchain-bench-'));
  return holding(
    () => rmSync(folder, { recursive: true, force: true, maxRetries: 3 }),
    () => run(folder),
  );
}

/** On Ctrl-C and on a request to end: gives back everything, newest first, and ends the process. A second one ends it at once. */
export function releaseOnInterrupt(): void {
  const leave = (code: number): void => {
    leaving = true;
    void (async () => {
      process.stderr.write('\nstopping processes and removing folders\n');
      for (const release of [...held].reverse()) {
        try {
          await release();
        } catch (error) {
          console.error(error);
        }
      }
      process.exit(code);
    })();
  };
  process.once('SIGINT', () => leave(130));
  process.once('SIGTERM', () => leave(143));
}
