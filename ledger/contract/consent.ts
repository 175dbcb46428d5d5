import { verifyAccess, verifyConsent } from '../../protocol/consent.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { changed, requireHospital, type Call, type Outcome } from './call.ts';
import { newestEpoch } from './epochs.ts';
import { KEY } from './keys.ts';
import { isPresent, readRow, ROW, writeRow } from './rows.ts';

/**
 * Records what a patient says on the use of records. Passed on by any member; the patient's signature authorises it. The
 * statement is kept with the epoch that is open, and takes effect with the next one: consent that changed with each
 * statement would let two queries differ by one patient.
 *
 * Whether the key is a patient's is known to the hospitals that the patient told alone; other keys mean nothing to them.
 *
 * Errors: `UNKNOWN` for another ledger's statement and for a hospital; `BAD_SIGNATURE`; `ALREADY_DONE`, `STALE` for a
 * sequence that is not above the newest.
 */
export async function recordConsent(call: Call<ActionOf<'recordConsent'>>): Promise<Outcome> {
  const { state, action } = call;
  const { statement } = action;
  requireStatement(call, verifyConsent(action));
  for (const hospital of statement.hospitals === '*' ? [] : statement.hospitals) await requireHospital(state, hospital);
  await requireNewer(call, KEY.consentHead(statement.patient), KEY.consent(statement.patient, statement.sequence));
  const epoch = await newestEpoch(state, 1);
  await writeRow(state, KEY.consentHead(statement.patient), ROW.sequence, statement.sequence);
  await writeRow(state, KEY.consent(statement.patient, statement.sequence), ROW.consent, {
    statement,
    ...(epoch === undefined ? {} : { epoch }),
  });
  return changed({ record: 'patient', id: statement.patient });
}

/**
 * Records that a patient lets a doctor read at a hospital until a day, or no longer. Takes effect at once. As the
 * contract has no clock, whoever gives access compares the day with his own (`accessGranted`). Errors: as `recordConsent`.
 */
export async function recordAccess(call: Call<ActionOf<'recordAccess'>>): Promise<Outcome> {
  const { state, action } = call;
  const { statement } = action;
  requireStatement(call, verifyAccess(action));
  await requireHospital(state, statement.hospital);
  await requireNewer(call, KEY.accessHead(statement.patient), KEY.access(statement.patient, statement.sequence));
  await writeRow(state, KEY.accessHead(statement.patient), ROW.sequence, statement.sequence);
  await writeRow(state, KEY.access(statement.patient, statement.sequence), ROW.access, statement);
  return changed({ record: 'patient', id: statement.patient });
}

function requireStatement(
  { consortium, action }: Call<ActionOf<'recordConsent'> | ActionOf<'recordAccess'>>,
  signed: boolean,
): void {
  if (action.statement.consortium !== consortium) {
    throw new Refusal('UNKNOWN', 'this statement was signed for another ledger', {
      hint: 'Check the consortium id that the patient’s statement names.',
    });
  }
  if (signed) return;
  throw new Refusal('BAD_SIGNATURE', 'the patient’s signature does not verify', {
    hint: 'The statement was changed after signing, or signed with another key than the one it names.',
  });
}

async function requireNewer(
  { state, action }: Call<ActionOf<'recordConsent'> | ActionOf<'recordAccess'>>,
  headKey: string,
  key: string,
): Promise<void> {
  const newest = (await readRow(state, headKey, ROW.sequence)) ?? 0;
  if (action.statement.sequence > newest) return;
  const done = await isPresent(state, key);
  throw new Refusal(done ? 'ALREADY_DONE' : 'STALE', `this patient’s newest statement has the sequence ${newest}`, {
    hint: 'An old statement cannot be recorded any more: let the patient sign one with a higher sequence.',
  });
}
