import type { LedgerView } from './ledger.ts';

/** What one completed session credited to one hospital. */
export interface Credit {
  readonly hospital: string;
  /** Name of the dataset, without version. */
  readonly dataset: string;
  readonly query: string;
  readonly session: string;
  readonly amount: number;
  /** Calendar month (UTC) of the entry that completed the session, by the clock of whoever orders entries. */
  readonly period: string;
}

export interface CreditTotal {
  readonly hospital: string;
  readonly dataset: string;
  readonly period: string;
  readonly queries: number;
  /** An exact integer. */
  readonly amount: bigint;
}

/** Every credit on the ledger, in the order in which the queries were submitted. */
export function creditsOf(view: Pick<LedgerView, 'queries' | 'session' | 'sessionCompletedAt'>): Credit[] {
  return view.queries().flatMap((query) =>
    query.sessions.flatMap((session) => {
      const time = view.sessionCompletedAt(session);
      const credits = view.session(session)?.credits;
      if (time === undefined || credits === undefined) return [];
      const [dataset = ''] = query.query.dataset.split('@');
      const of = { dataset, query: query.id, session, period: time.slice(0, 7) };
      return Object.entries(credits).map(([hospital, amount]) => ({ hospital, amount, ...of }));
    }),
  );
}

/** Sums by hospital, dataset and month, in that order. */
export function creditTotals(credits: readonly Credit[]): CreditTotal[] {
  const totals = new Map<string, CreditTotal>();
  for (const { hospital, dataset, period, amount } of credits) {
    const key = `${hospital} ${dataset} ${period}`;
    const { queries = 0, amount: sum = 0n } = totals.get(key) ?? {};
    totals.set(key, { hospital, dataset, period, queries: queries + 1, amount: sum + BigInt(amount) });
  }
  return [...totals].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, total]) => total);
}
