import { Misuse } from '../protocol/errors.ts';

/** Parses a query file; what it means is checked against the dataset schema at submission. */
export function parseQueryFile(text: string, path: string): object {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw new Misuse('BAD_QUERY', `${path} is not JSON`, { hint: 'Check for a missing quote, comma or bracket.' });
  }
  if (typeof document !== 'object' || document === null || Array.isArray(document))
    throw new Misuse('BAD_QUERY', `${path} does not hold a query: expected { "dataset": ... }`);
  return document;
}
