import { Misuse } from '../protocol/errors.ts';
import { handWritten } from '../protocol/hand-written.ts';

/** Parses a query file; what it means is checked against the dataset schema at submission. */
export function parseQueryFile(text: string, path: string): object {
  const json = handWritten(text, path, 'BAD_QUERY');
  let document: unknown;
  try {
    document = JSON.parse(json);
  } catch {
    throw new Misuse('BAD_QUERY', `${path} is not JSON`, { hint: 'Check for a missing quote, comma or bracket.' });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new Misuse('BAD_QUERY', `${path} does not hold a query: expected { "dataset": ... }`);
  return document;
}
