import { Misuse } from '../../protocol/errors.ts';
import type { State } from '../contract/state.ts';
import { traceKeys } from '../contract/trace-keys.ts';

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

const KINDS = ['query', 'dataset', 'hospital', 'researcher'] as const;

/**
 * Everything that the chain holds on a query, a dataset, a hospital or a researcher, in order of time: each write to each
 * key that belongs to it, of a query from submission to receipt. For auditors; evaluated at a peer, which the asker
 * trusts for completeness (a member's own replica needs no such trust).
 */
export async function trace(state: State, history: History, kind: string, id: string): Promise<readonly TraceStep[]> {
  const known = KINDS.find((each) => each === kind);
  if (known === undefined) {
    throw new Misuse('MALFORMED', 'no trace of this kind', { hint: `Ask for: ${KINDS.join(', ')}.` });
  }
  const steps: TraceStep[] = [];
  for (const key of await traceKeys(state, { kind: known, id })) steps.push(...(await historyOf(history, key)));
  return steps.sort(byTime);
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
