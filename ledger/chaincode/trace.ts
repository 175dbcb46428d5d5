import { Misuse } from '../../protocol/errors.ts';
import { KEY } from '../contract/keys.ts';
import { decodeRow, ROW } from '../contract/rows.ts';
import type { State } from '../contract/state.ts';

/** One write to a key of the ledger. `time` is the submitting member's clock. */
export interface TraceStep {
  readonly time: string;
  readonly transaction: string;
  readonly key: string;
  readonly value: string;
}

/** What a trace needs of Fabric's chaincode stub beyond the state: who wrote what to a key, and when. */
export interface History {
  getHistoryForKey(key: string): AsyncIterable<{
    readonly value: Uint8Array;
    readonly timestamp: { readonly seconds: { toNumber(): number } | number; readonly nanos: number };
    readonly txId: string;
  }>;
}

/**
 * Everything that the chain holds on a query, from submission to receipt, in order of time: each write to each key that
 * belongs to it. For auditors; evaluated at a peer, which the asker trusts for completeness (a member's own replica
 * needs no such trust).
 */
export async function trace(state: State, history: History, kind: string, id: string): Promise<readonly TraceStep[]> {
  if (kind !== 'query') {
    throw new Misuse('MALFORMED', 'no trace of this kind', { hint: 'Ask for: query.' });
  }
  const steps: TraceStep[] = [];
  for (const key of await queryKeys(state, id)) steps.push(...(await historyOf(history, key)));
  return steps.sort(byTime);
}

/** The keys of a query and of its sessions. */
async function queryKeys(state: State, id: string): Promise<readonly string[]> {
  const current = await state.get(KEY.queryState(id));
  if (current === undefined) return [];
  const keys = [KEY.query(id), KEY.queryState(id)];
  const within = async (...prefixes: readonly string[]): Promise<void> => {
    for (const prefix of prefixes) keys.push(...(await state.list(prefix)).map(({ key }) => key));
  };
  await within(KEY.approvals(id), KEY.denials(id));
  for (const session of decodeRow(ROW.queryState, current).sessions) {
    keys.push(KEY.session(session), KEY.sessionState(session));
    await within(KEY.commitments(session), KEY.receipts(session));
  }
  return keys;
}

/** Oldest first; Fabric tells the newest first. */
async function historyOf(history: History, key: string): Promise<readonly TraceStep[]> {
  const steps: TraceStep[] = [];
  for await (const { value, timestamp, txId } of history.getHistoryForKey(key)) {
    const { seconds, nanos } = timestamp;
    const millis = (typeof seconds === 'number' ? seconds : seconds.toNumber()) * 1000 + Math.floor(nanos / 1e6);
    steps.unshift({
      time: new Date(millis).toISOString(),
      transaction: txId,
      key,
      value: Buffer.from(value).toString('utf8'),
    });
  }
  return steps;
}

const byTime = (a: TraceStep, b: TraceStep): number => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0);
