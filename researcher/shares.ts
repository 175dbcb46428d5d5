import type { Member } from '../ledger/ledger.ts';
import { ShareSum } from '../mpc/share-sum.ts';
import { ShareOpener, type ReceivedShare, type TakenPart } from '../mpc/sum/share-opener.ts';
import type { ExchangeKey } from '../protocol/envelope.ts';
import { Fault, Refusal } from '../protocol/errors.ts';
import type { Modulus } from '../protocol/session.ts';
import type { CoordinatorClient } from './coordinator.ts';

export interface ShareRequest {
  readonly session: string;
  readonly step: number;
  readonly cells: number;
  readonly modulus: Modulus;
  readonly roster: readonly string[];
  readonly activeKeys: (party: string) => readonly string[];
  readonly answerKey: ExchangeKey;
  readonly member: Member;
  readonly signal: AbortSignal;
  /** Called when a hospital's share has arrived whole. */
  readonly arrived?: (party: string) => void;
}

const RETRY_MS = [20, 50, 100, 200, 500, 1000, 2000];

/** Every hospital's share, and what they add up to, neither checked against the commitments yet. */
export interface FetchedShares {
  readonly sum: ShareSum;
  readonly shares: readonly ReceivedShare[];
}

/**
 * Fetches every hospital's sealed share through the coordinator, opens and adds them as they arrive. Waits for
 * hospitals that have not opened or are away until the signal.
 */
export async function fetchShares(coordinator: CoordinatorClient, request: ShareRequest): Promise<FetchedShares> {
  const sum = new ShareSum(request.cells, request.modulus);
  const shares = await Promise.all(request.roster.map((party) => fetchShare(coordinator, request, party, sum)));
  return { sum, shares };
}

/** One share, retried from its beginning when the line breaks; what was added before is not added twice. */
export async function fetchShare(
  coordinator: CoordinatorClient,
  request: ShareRequest,
  party: string,
  sum: Pick<ShareSum, 'add' | 'landing'>,
  elements?: (plain: Uint8Array, first: number) => void,
): Promise<ReceivedShare> {
  let taken: TakenPart | undefined;
  for (let attempt = 0; ; attempt++) {
    const expected = {
      session: request.session,
      step: request.step,
      party,
      cells: request.cells,
      modulus: request.modulus,
      activeKeys: request.activeKeys(party),
    };
    const opener = new ShareOpener(expected, request.answerKey, sum, taken);
    try {
      await coordinator.share(request.member, request, party, (chunk) => opener.add(chunk, elements));
      const share = opener.finish();
      request.arrived?.(party);
      return share;
    } catch (error) {
      if (!isPassing(error)) throw error;
      taken = opener.taken;
      await pause(RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)]!, request.signal);
    }
  }
}

/** Not opened yet, away, or the line broke: worth another try until the deadline. */
const isPassing = (error: unknown): boolean =>
  error instanceof Fault || (error instanceof Refusal && (error.code === 'STALE' || error.code === 'TOO_MANY'));

function pause(milliseconds: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const fail = (): void => {
      clearTimeout(timer);
      reject(signal.reason as Error);
    };
    if (signal.aborted) return reject(signal.reason as Error);
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', fail);
      resolve();
    }, milliseconds);
    signal.addEventListener('abort', fail, { once: true });
  });
}
