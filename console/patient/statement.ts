import { canonicalText } from '../../protocol/canonical-text.ts';
import type {
  AccessRecord,
  AccessStatement,
  ConsentRecord,
  ConsentStatement,
  PatientStatement,
} from '../../protocol/consent.ts';
import { LABEL } from '../../protocol/labels.ts';
import { toHex, type PatientKey } from './key.ts';

export type Draft =
  | { readonly kind: 'consent'; readonly statement: ConsentStatement }
  | { readonly kind: 'access'; readonly statement: AccessStatement };

/** Signs as the patient: the same bytes as the command line signs, and so the same signature. */
export async function signStatement(key: PatientKey, draft: Draft): Promise<PatientStatement> {
  const digest = await crypto.subtle.digest('SHA-256', preimage(LABEL[draft.kind], canonicalText(draft.statement)));
  const signature = await key.sign(new Uint8Array(digest));
  return { ...draft, signature: toHex(signature) };
}

/** Label and message, each with its length before it: what `protocol/canonical.ts` hashes. */
function preimage(...texts: readonly string[]): Uint8Array<ArrayBuffer> {
  const parts = texts.map((text) => new TextEncoder().encode(text));
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of parts) {
    new DataView(whole.buffer).setUint32(at, part.length);
    whole.set(part, at + 4);
    at += 4 + part.length;
  }
  return whole;
}

/** Of a statement, what has a meaning: to be signed, or recorded. */
export type Said =
  | { readonly kind: 'consent'; readonly statement: Omit<ConsentRecord, 'sequence' | 'epoch'> }
  | { readonly kind: 'access'; readonly statement: Omit<AccessRecord, 'sequence'> };

/** A statement in words. */
export function inWords(said: Said): string {
  if (said.kind === 'access') {
    const { decision, doctor, hospital, until = '' } = said.statement;
    return decision === 'grant'
      ? `I let the doctor with the key ${doctor} read my records at ${hospital}, up to and with ${until}. I can revoke this at any time; it then ends at once.`
      : `I revoke what I granted to the doctor with the key ${doctor} at ${hospital}. It ends at once.`;
  }
  const { decision, dataset, purposes, hospitals } = said.statement;
  const use = `the use of my records ${dataset === '*' ? 'in every dataset, also later ones' : `in the dataset ${dataset}`}, for ${several(purposes, 'every purpose', 'the purposes', 'the purpose')}, at ${several(hospitals, 'every hospital, also later ones', 'the hospitals', 'the hospital')}`;
  return decision === 'grant'
    ? `I allow ${use}. It counts from the next epoch on, and until I say otherwise. What I said before on the same uses no longer holds.`
    : `I withdraw my consent to ${use}. It counts from the next epoch on; answers given until then stay. What I said before on the same uses no longer holds.`;
}

function several(names: '*' | readonly string[], all: string, many: string, one: string): string {
  if (names === '*') return all;
  return `${names.length === 1 ? one : many} ${names.join(', ')}`;
}
