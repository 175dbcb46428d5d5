import { isUtf8 } from 'node:buffer';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { Misuse, Refusal } from '../../protocol/errors.ts';
import { signedAction, type SignedAction } from '../../protocol/ledger.ts';

/** The contract's limit on an action is 1 MiB; caller and signature come on top. */
const ACTION_LIMIT = (1 << 20) + (1 << 12);
/** Names of functions, records and ids. */
const WORD_LIMIT = 1000;

/**
 * Decodes the argument of `apply` from its very bytes, which are what every reader of the block decodes: in canonical
 * form, so that all come to the same action and entry. Errors: `Refusal TOO_LARGE`; `Misuse MALFORMED`, `NOT_CANONICAL`.
 */
export function decodeAction(bytes: Uint8Array): SignedAction {
  if (bytes.length > ACTION_LIMIT) {
    throw new Refusal('TOO_LARGE', `an argument of more than ${ACTION_LIMIT} bytes`, { hint: 'Split or shorten it.' });
  }
  // A decoder that replaced broken characters would take bytes for an action that no strict reader finds in them.
  if (!isUtf8(bytes)) throw new Misuse('MALFORMED', 'action: not UTF-8');
  const text = Buffer.from(bytes).toString('utf8');
  const signed = decodeDocument(signedAction, text, { what: 'action', limit: ACTION_LIMIT });
  if (canonicalText(signed) !== text) {
    throw new Misuse('NOT_CANONICAL', 'the action is not in canonical form', {
      hint: 'Send JSON with sorted keys and no white space (RFC 8785).',
    });
  }
  return signed;
}

/** The text of a short argument: a name or an id, and so printable ASCII without spaces. */
export function decodeWord(bytes: Uint8Array): string {
  if (bytes.length > WORD_LIMIT) throw new Refusal('TOO_LARGE', `an argument of more than ${WORD_LIMIT} bytes`);
  const text = Buffer.from(bytes).toString('latin1');
  if (!/^[!-~]*$/.test(text)) throw new Misuse('MALFORMED', 'an argument has other characters than those of names');
  return text;
}

/** Exactly this many arguments. */
export function requireArguments(fn: string, given: readonly Uint8Array[], names: readonly string[]): void {
  if (given.length === names.length) return;
  throw new Misuse('MALFORMED', `${fn} takes ${names.length} arguments (${names.join(', ')}), not ${given.length}`);
}
