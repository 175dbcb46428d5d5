// Whether a bundle was made from the sources that are there: read by the command line before anything else is loaded.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** SHA-256 over names and contents of files below `base`. */
export function digestOfFiles(base, files) {
  const hash = createHash('sha256');
  for (const file of files) {
    const content = readFileSync(join(base, file));
    hash.update(`${file}\0${content.length}\0`).update(content);
  }
  return hash.digest('hex');
}

/** Is the bundle `name` below `base` made from the files as they are now? */
export function isCurrent(base, name) {
  try {
    const { files, digest } = JSON.parse(readFileSync(join(base, 'bundle', name, 'manifest.json'), 'utf8'));
    return digestOfFiles(base, files) === digest;
  } catch {
    // No bundle, or a source is gone.
    return false;
  }
}
