import { statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { Journal } from '../../hospital/journal.ts';
import { Fault } from '../../protocol/errors.ts';
import { makeFolder, removeFolder, runCommand } from '../end-to-end/world.ts';

const folder = makeFolder('journal');
afterAll(() => removeFolder(folder));

const digest = (n: number): string => n.toString(16).padStart(64, '0');

test('a disk that takes half a journal line: no opening counts that a restart would forget', async (context) => {
  // One page: the line that crosses its end is written in part, and the system call succeeds.
  const mounted = await runCommand('mount', ['-t', 'tmpfs', '-o', 'size=4k', 'tmpfs', folder]);
  if (mounted.code !== 0) return context.skip('this needs the right to mount a small file system');
  try {
    const path = join(folder, 'journal.jsonl');
    const journal = new Journal(path);
    let recorded = 0;
    expect(() => {
      for (;;) journal.recordOpened(digest(recorded), digest(recorded++));
    }).toThrow(Fault);
    const refused = recorded - 1;
    expect(journal.openedIn(digest(refused))).toBeUndefined();
    expect(() => journal.recordOpened(digest(refused), digest(refused))).toThrow(/no share may leave/);
    journal.close();

    const reread = new Journal(path);
    for (let n = 0; n < refused; n++) expect(reread.openedIn(digest(n))).toBe(digest(n));
    expect(reread.openedIn(digest(refused))).toBeUndefined();
    reread.close();
    expect(statSync(path).size % refused).toBe(0);
  } finally {
    await runCommand('umount', ['-l', folder]);
  }
});
