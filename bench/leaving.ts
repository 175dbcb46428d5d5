import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Release = () => Promise<void> | void;

/** What is still held: processes and folders, the newest last. */
const held = new Set<Release>();

/** Runs with something that must be given back whichever way the bench ends, Ctrl-C included. */
export async function holding<T>(release: Release, run: () => Promise<T>): Promise<T> {
  held.add(release);
  try {
    return await run();
  } finally {
    // After an interrupt it is being released already.
    if (held.delete(release)) await release();
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
    void (async () => {
      process.stderr.write('\nstopping processes and removing folders\n');
      for (const release of [...held].reverse()) {
        held.delete(release);
        await Promise.resolve(release()).catch((error: unknown) => console.error(error));
      }
      process.exit(code);
    })();
  };
  process.once('SIGINT', () => leave(130));
  process.once('SIGTERM', () => leave(143));
}
