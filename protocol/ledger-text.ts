import { canonicalText, hashText } from './canonical.ts';
import { LABEL } from './labels.ts';
import type { Entry, SignedAction } from './ledger.ts';

/** An action before or after it is signed: the signature is no part of what is signed. */
export type Unsigned = Omit<SignedAction, 'signature'>;

/** What is signed of an action, and the hash under which the ledger knows it. */
export interface ActionForm {
  /** Canonical form of consortium, caller and action. */
  readonly text: string;
  /** H(LABEL.action, text), 32 bytes as hexadecimal: what its caller signed. */
  readonly digest: string;
}

/** Forms of actions that were cut out of a canonical text, until they are first asked for. */
const cutOut = new WeakMap<Unsigned, string>();
/** Each form is asked for several times in a row on the action's way through the contract. */
let latest: { readonly of: Unsigned; readonly form: ActionForm } | undefined;

/**
 * Whoever changes an action makes a new one: the form of an object is remembered. `Misuse MALFORMED` for text that has
 * none: a lone surrogate is valid JSON, not Unicode.
 */
export function actionForm(signed: Unsigned): ActionForm {
  if (latest?.of === signed) return latest.form;
  const text = textOf(signed);
  const form = { text, digest: hashText(LABEL.action, text) };
  latest = { of: signed, form };
  return form;
}

function textOf(signed: Unsigned): string {
  const known = cutOut.get(signed);
  if (known === undefined) {
    return canonicalText({ consortium: signed.consortium, caller: signed.caller, action: signed.action });
  }
  cutOut.delete(signed);
  return known;
}

/** Tells the canonical form of an action to a decoder's caller, who need not write it again. It must be that very form. */
export const knowActionText = (signed: Unsigned, text: string): unknown => cutOut.set(signed, text);

/**
 * The entry's hash, by which the next one names it: H(LABEL.entry, canonical form), 32 bytes as hexadecimal. The form of the
 * action is part of the form of the entry, and is written once for both.
 */
export function entryHash({ index, previous, time, signed }: Entry): string {
  const open = actionForm(signed).text.slice(0, -1);
  const [link, signature, when] = [previous, signed.signature, time].map(canonicalText);
  return hashText(
    LABEL.entry,
    `{"index":${canonicalText(index)},"previous":${link},"signed":${open},"signature":${signature}},"time":${when}}`,
  );
}
