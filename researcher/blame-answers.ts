import { setTimeout as pause } from 'node:timers/promises';
import { OVERFLOW_BYTES } from '../mpc/sum/overflow.ts';
import { SEED_BYTES } from '../mpc/scalars.ts';
import { claim, type BlameCase } from '../mpc/sum/blame.ts';
import {
  overflowDigest,
  signedBlameStatement,
  verifyStatement,
  type SignedBlameStatement,
} from '../mpc/sum/blame-statement.ts';
import { seedHash } from '../mpc/sum/party.ts';
import { toHex } from '../protocol/bytes.ts';
import { canonicalText, decodeCanonical } from '../protocol/canonical.ts';
import { Fault } from '../protocol/errors.ts';
import type { PullRequest } from '../protocol/frame.ts';
import type { CoordinatorClient } from './coordinator.ts';
import type { ShareRequest } from './shares.ts';

/** Most bytes of one hospital's statement. */
const STATEMENT_LIMIT = 400_000;

/** A hospital's statement, and the overflow whose digest is in it; empty where shares are mod l. */
export interface Told {
  readonly statement: SignedBlameStatement;
  readonly overflow: Uint8Array;
}

/**
 * A hospital's part in finding a cheat; undefined unless all of it comes, with its signature. These answers pass the relay in
 * the clear: what does not fit the signature may be the relay's work and counts as not having come.
 */
export async function askStatement(
  coordinator: CoordinatorClient,
  request: ShareRequest,
  party: string,
): Promise<Told | undefined> {
  const { session, step, cells, modulus, activeKeys } = request;
  try {
    const bytes = await ask(coordinator, request, { kind: 'statement', session, step }, party, STATEMENT_LIMIT);
    const statement = decodeCanonical(signedBlameStatement, bytes, { what: 'statement', limit: STATEMENT_LIMIT });
    if (!verifyStatement(statement, activeKeys(party))) return undefined;
    if (modulus === 'l') return { statement, overflow: new Uint8Array() };
    const limit = OVERFLOW_BYTES * cells;
    const overflow = await ask(coordinator, request, { kind: 'overflow', session, step }, party, limit);
    return overflowDigest(overflow) === statement.statement.overflow ? { statement, overflow } : undefined;
  } catch {
    return undefined;
  }
}

/** The seed of a pair that contradict each other, from either; only one whose hash they agreed on counts as having come. */
export async function askSeeds(
  coordinator: CoordinatorClient,
  request: ShareRequest,
  of: BlameCase,
  [one, other]: readonly [string, string],
): Promise<ReadonlyMap<string, Uint8Array>> {
  const { session, step } = request;
  const seeds = new Map<string, Uint8Array>();
  for (const [party, peer] of [
    [one, other],
    [other, one],
  ] as const) {
    const contradiction = Buffer.from(canonicalText(of.statements.get(peer))).toString('base64');
    const about: PullRequest = { kind: 'seed', session, step, peer, contradiction };
    const seed = await ask(coordinator, request, about, party, SEED_BYTES).catch(() => undefined);
    if (seed !== undefined && toHex(seedHash(seed)) === claim(of, party, peer).seedHash)
      seeds.set(`${party}/${peer}`, seed);
  }
  return seeds;
}

/** A hospital that computes does not answer its line for a while: what breaks off is asked for again, and is at hand by then. */
async function ask(
  coordinator: CoordinatorClient,
  { member, signal }: ShareRequest,
  request: PullRequest,
  party: string,
  limit: number,
): Promise<Uint8Array> {
  for (let left = ATTEMPTS; ; left--) {
    try {
      return await coordinator.pull(member, request, party, signal, limit);
    } catch (error) {
      if (!(error instanceof Fault) || left === 1) throw error;
      await pause(BETWEEN_MS, undefined, { signal });
    }
  }
}

const ATTEMPTS = 4;
const BETWEEN_MS = 3000;
