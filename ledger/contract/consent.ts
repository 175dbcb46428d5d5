import { EVERY_MONTHS, onGrid, verifyAccess, verifyConsent } from '../../protocol/consent.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { changed, requireHospital, requireRole, type Call, type Outcome } from './call.ts';
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
  const epoch = await readRow(state, KEY.epochHead(1), ROW.epochHead);
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

/**
 * Opens the epoch of a calendar month: statements recorded until now count from here on. By an auditor or an admin.
 * Epochs only go forward. That a month has begun is not checked here, for want of a clock: hospitals use no epoch whose
 * month lies ahead of them. Errors: `NOT_AUTHORIZED`, `ALREADY_DONE`, `STALE`.
 */
export async function openConsentEpoch(call: Call<ActionOf<'openConsentEpoch'>>): Promise<Outcome> {
  requireRole(call, 'auditor', 'admin');
  const { state, caller, action } = call;
  const newest = await readRow(state, KEY.epochHead(1), ROW.epochHead);
  if (newest !== undefined && action.period <= newest) {
    const done = await isPresent(state, KEY.epoch(action.period));
    throw new Refusal(done ? 'ALREADY_DONE' : 'STALE', `the epoch of ${newest} is open`, {
      hint: 'Epochs are opened in order, each for a later month.',
    });
  }
  await writeRow(state, KEY.epoch(action.period), ROW.epoch, { by: caller.id });
  for (const every of EVERY_MONTHS) {
    if (onGrid(action.period, every)) await writeRow(state, KEY.epochHead(every), ROW.epochHead, action.period);
  }
  return changed({ record: 'epoch', id: action.period });
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
