import canonicalize from 'canonicalize';
import { Misuse } from './errors.ts';

/**
 * The one text form of a document: JSON with sorted keys and no white space (RFC 8785). Apart from the rest of the encoding, for
 * it runs in browsers too.
 */
export function canonicalText(document: unknown): string {
  let text: string | undefined;
  try {
    text = canonicalize(document);
  } catch {
    throw new Misuse(
      'MALFORMED',
      'this value has no JSON form: a lone surrogate, a cycle or a number that is not finite',
    );
  }
  if (text === undefined) throw new Misuse('MALFORMED', 'this value has no JSON form');
  return text;
}
