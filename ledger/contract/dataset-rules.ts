import { isDeepStrictEqual } from 'node:util';
import { onGrid } from '../../protocol/consent.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { consentRuleOf, schemaReference, type ContributionRule, type DatasetSchema } from '../../protocol/schema.ts';
import type { Call } from './call.ts';
import { newestEpoch } from './epochs.ts';
import { KEY } from './keys.ts';
import { readRow, ROW, writeRow, type Row } from './rows.ts';
import type { State } from './state.ts';

/** How much a basis asks for: the higher, the stricter. */
const STRICTNESS = { none: 0, 'opt-out': 1, 'opt-in': 2 } as const;

/**
 * What of a new version only an admin may decide, since it binds whoever asks the dataset, in any version: that less
 * consent is asked for or its epoch moves more often, that a budget is raised or lifted, that credits change. Undefined
 * where the rules stay or grow stricter.
 */
export function loosenedRule(
  before: DatasetSchema,
  next: DatasetSchema,
): 'consent' | 'budget' | 'contribution' | undefined {
  const [was, is] = [consentRuleOf(before), consentRuleOf(next)];
  if (STRICTNESS[is.basis] < STRICTNESS[was.basis]) return 'consent';
  if (was.basis !== 'none' && is.everyMonths < was.everyMonths) return 'consent';
  const most = (schema: DatasetSchema): number => schema.budget?.queriesPerResearcher ?? Infinity;
  if (most(next) > most(before)) return 'budget';
  return isDeepStrictEqual(before.contribution, next.contribution) ? undefined : 'contribution';
}

/** The newest version of a dataset's schema. */
export async function newestSchema(state: State, dataset: string): Promise<DatasetSchema | undefined> {
  const newest = await readRow(state, KEY.schemaHead(dataset), ROW.schemaHead);
  return newest === undefined ? undefined : readRow(state, KEY.schema(dataset, newest), ROW.schema);
}

/**
 * The epoch of consent that a submission names: none where the dataset's rule asks for no consent, else the newest one on
 * its grid. A ledger that takes no statements does not know which epochs are open and checks the grid alone; that
 * the epoch is the newest is then for each hospital to see, on the public ledger. A version whose rule is not the newest
 * version's is asked no more: it would be the way around it. `POLICY` naming what is expected.
 */
export async function requireConsentEpoch(
  { state, tier, action }: Call<ActionOf<'submitQuery'>>,
  schema: DatasetSchema,
): Promise<void> {
  const rule = consentRuleOf(schema);
  const newestVersion = await newestSchema(state, schema.dataset);
  if (newestVersion !== undefined && !isDeepStrictEqual(rule, consentRuleOf(newestVersion))) {
    throw new Refusal('POLICY', `the dataset's rule of consent changed after version ${schema.version}`, {
      hint: `Ask ${schemaReference(newestVersion)}.`,
    });
  }
  const { basis, everyMonths } = rule;
  const named = action.consentEpoch;
  if (basis === 'none') {
    if (named === undefined) return;
    throw new Refusal('POLICY', 'the query names an epoch of consent where the dataset asks for no consent', {
      hint: 'Leave consentEpoch out.',
    });
  }
  if (named === undefined) {
    throw new Refusal('POLICY', `the dataset is ${basis}: the query must name the epoch of consent it uses`, {
      hint: 'Name the newest epoch on the ledger as consentEpoch.',
    });
  }
  if (tier === 'consortium') {
    if (onGrid(named, everyMonths)) return;
    throw new Refusal('POLICY', `${named} is no month in which the dataset's epoch of consent moves`, {
      hint: `It moves every ${everyMonths} months, counted from January.`,
    });
  }
  const newest = await newestEpoch(state, everyMonths);
  if (newest === named) return;
  throw new Refusal(
    'POLICY',
    newest === undefined
      ? 'no epoch of consent is open for this dataset'
      : `the dataset's epoch of consent is ${newest}, not ${named}`,
    {
      hint: newest === undefined ? 'An auditor or admin opens one.' : 'Name that epoch; older ones are over.',
    },
  );
}

/**
 * Takes one query off a researcher's budget for a dataset, in the same step as its submission. The newest version of the
 * schema sets the budget for all versions, or the oldest one would be the way around it. `POLICY` when it is used up.
 */
export async function debitBudget(state: State, researcher: string, dataset: string): Promise<void> {
  const schema = await newestSchema(state, dataset);
  if (schema?.budget === undefined) return;
  const most = schema.budget.queriesPerResearcher;
  const used = (await readRow(state, KEY.budget(researcher, dataset), ROW.budget)) ?? 0;
  if (used >= most) {
    throw new Refusal('POLICY', `the researcher's budget of ${most} queries on ${dataset} is used up`, {
      party: researcher,
      hint: 'The next version of the schema may raise it.',
    });
  }
  await writeRow(state, KEY.budget(researcher, dataset), ROW.budget, used + 1);
}

/** Credits a completed session's hospitals by the rule of the schema version that the query asked. */
export async function creditHospitals(state: State, query: Row<'query'>, session: Row<'session'>): Promise<void> {
  const [dataset = '', version = ''] = query.query.dataset.split('@');
  const rule = (await readRow(state, KEY.schema(dataset, Number(version)), ROW.schema))?.contribution;
  if (rule === undefined) return;
  for (const [hospital, amount] of creditShares(rule, session)) {
    await writeRow(state, KEY.credit(session.id, hospital), ROW.credit, amount);
  }
}

/**
 * What each hospital of a roster gets. `equal`: floor(credits / n) each, and the remainder r goes, one each, to the r
 * hospitals from place H mod n on (around the sorted roster), H the first 48 bits of the session id: the shares add
 * up to the credits exactly, and over many sessions no name is favoured.
 */
export function creditShares(
  rule: ContributionRule,
  session: { readonly id: string; readonly roster: readonly string[] },
): readonly (readonly [hospital: string, amount: number])[] {
  const { creditsPerQuery, split } = rule;
  const { roster } = session;
  if (split === 'each') return roster.map((hospital) => [hospital, creditsPerQuery]);
  const n = roster.length;
  const remainder = creditsPerQuery % n;
  const first = Number.parseInt(session.id.slice(0, 12), 16) % n;
  const whole = (creditsPerQuery - remainder) / n;
  return roster.map((hospital, at) => [hospital, whole + ((at - first + n) % n < remainder ? 1 : 0)]);
}
