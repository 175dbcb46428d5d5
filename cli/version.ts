import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

/** The version in this package's manifest, wherever the code runs from. */
export function version(): string {
  const require = createRequire(import.meta.url);
  for (const place of ['../package.json', '../../package.json']) {
    try {
      const manifest = JSON.parse(readFileSync(require.resolve(place), 'utf8')) as { name?: string; version?: string };
      if (manifest.name === 'healthchain') return manifest.version ?? 'unknown';
    } catch {
      continue;
    }
  }
  return 'unknown';
}
