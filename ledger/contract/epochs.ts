import { EVERY_MONTHS, onGrid, type EveryMonths } from '../../protocol/consent.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { changed, requireRole, type Call, type Outcome } from './call.ts';
import { KEY, lastPart } from './keys.ts';
import { decodeRow, readRow, ROW, writeRow } from './rows.ts';
import type { State } from './state.ts';

/**
 * Opens the epoch of a calendar month: statements recorded until now count from here on. By an auditor or an admin.
 * Epochs only go forward, and each month is opened once. That a month has begun is not checked here, for want of a clock:
 * hospitals use no epoch whose month lies ahead of them. Errors: `NOT_AUTHORIZED`, `ALREADY_DONE`, `STALE`.
 */
export async function openConsentEpoch(call: Call<ActionOf<'openConsentEpoch'>>): Promise<Outcome> {
  requireRole(call, 'auditor', 'admin');
  const { state, caller, action } = call;
  const newest = await newestEpoch(state, 1);
  const known = await readRow(state, KEY.epoch(action.period), ROW.epoch);
  if (known?.withdrawn !== undefined) {
    throw new Refusal('STALE', `the epoch of ${action.period} was withdrawn; a month is opened once`, {
      hint: 'Open the epoch of a later month.',
    });
  }
  if (newest !== undefined && action.period <= newest) {
    throw new Refusal(known === undefined ? 'STALE' : 'ALREADY_DONE', `the epoch of ${newest} is open`, {
      hint: 'Epochs are opened in order, each for a later month. One opened too early can be withdrawn.',
    });
  }
  await writeRow(state, KEY.epoch(action.period), ROW.epoch, { by: caller.id });
  for (const every of gridsOf(action.period)) {
    await writeRow(state, KEY.epochHead(every), ROW.epochHead, action.period);
  }
  return changed({ record: 'epoch', id: action.period });
}

/**
 * Takes back the newest epoch, for all time: one that was opened for a month far ahead would keep every month before it from
 * being opened. By an auditor or an admin. What patients said since counts as said after the epoch before, and so from
 * the next one on.
 *
 * That nobody has used the epoch is not checked here: the contract knows neither the clock nor, where there are two ledgers,
 * the queries. Hospitals need no such check, since they use no withdrawn epoch, and from its month on none that was opened
 * before it (`overtaking` in ledger/consent.ts): nobody is brought back to decisions that were over.
 *
 * Errors: `NOT_AUTHORIZED`; `UNKNOWN`; `ALREADY_DONE`; `STALE` for another epoch than the newest.
 */
export async function withdrawConsentEpoch(call: Call<ActionOf<'withdrawConsentEpoch'>>): Promise<Outcome> {
  requireRole(call, 'auditor', 'admin');
  const { state, caller, action } = call;
  const { period, reason } = action;
  const epoch = await readRow(state, KEY.epoch(period), ROW.epoch);
  if (epoch === undefined) {
    throw new Refusal('UNKNOWN', `the epoch of ${period} was never opened`, {
      hint: 'The coordinator’s page /v1/consent lists the epochs.',
    });
  }
  if (epoch.withdrawn !== undefined) throw new Refusal('ALREADY_DONE', `the epoch of ${period} is withdrawn already`);
  const newest = await newestEpoch(state, 1);
  if (period !== newest) {
    throw new Refusal('STALE', `the epoch of ${newest ?? 'no month'} is the newest`, {
      hint: 'Only the newest epoch can be withdrawn: later ones rest on it.',
    });
  }
  const earlier = (await openEpochs(state)).filter((each) => each !== period);
  const previous = earlier.at(-1);
  await writeRow(state, KEY.epoch(period), ROW.epoch, {
    by: epoch.by,
    withdrawn: { by: caller.id, reason, ...(previous === undefined ? {} : { previous }) },
  });
  for (const every of gridsOf(period)) {
    const head = earlier.findLast((each) => onGrid(each, every));
    await writeRow(state, KEY.epochHead(every), ROW.epochHead, head ?? 'none');
  }
  return changed({ record: 'epoch', id: period });
}

/** The newest epoch whose month lies on a grid of so many months. */
export async function newestEpoch(state: State, everyMonths: EveryMonths): Promise<string | undefined> {
  const head = await readRow(state, KEY.epochHead(everyMonths), ROW.epochHead);
  return head === 'none' ? undefined : head;
}

/** An epoch, or the one that was open before it where it was withdrawn; undefined where there was none. */
export async function standingEpoch(state: State, period: string | undefined): Promise<string | undefined> {
  for (let at = period; at !== undefined;) {
    const epoch = await readRow(state, KEY.epoch(at), ROW.epoch);
    if (epoch?.withdrawn === undefined) return at;
    at = epoch.withdrawn.previous;
  }
  return undefined;
}

async function openEpochs(state: State): Promise<string[]> {
  const pairs = await state.list(KEY.epochs);
  return pairs
    .filter(({ value }) => decodeRow(ROW.epoch, value).withdrawn === undefined)
    .map(({ key }) => lastPart(key));
}

const gridsOf = (period: string): readonly EveryMonths[] => EVERY_MONTHS.filter((every) => onGrid(period, every));
