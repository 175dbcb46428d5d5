import { setTimeout as pause } from 'node:timers/promises';
import { canonicalText } from '../../protocol/canonical.ts';
import type { HealthchainError } from '../../protocol/errors.ts';
import { Fault, Misuse, Refusal } from '../../protocol/errors.ts';
import type { SignedAction } from '../../protocol/ledger.ts';
import type { Place } from '../chain.ts';
import { fromGateway, mayPass, toldByChaincode } from './errors.ts';
import type { ChannelFollower } from './follower.ts';
import type { Gateways, Line } from './gateways.ts';
import type { ChannelIdentity } from './identity.ts';

export interface SenderParts {
  readonly gateways: Gateways;
  readonly follower: ChannelFollower;
  readonly identity: ChannelIdentity;
  readonly chaincode: string;
  /** How long peers may refuse what this process's own copy allows before that counts as an outage; default 10 s. */
  readonly lagMs?: number | undefined;
}

/** Counts what was done to get actions through: for measurements and tests. */
export interface Traffic {
  /** Transactions sent to the ordering service. */
  transactions: number;
  /** Of them, those that met a change of what they had read, and were made again. */
  conflicts: number;
}

/** Conflicts after which an action is given up. One of n that collide gets through each time, so this is a crowd. */
const CONFLICTS = 200;
/** How long a transaction that was sent may take to show in a block. */
const COMMIT_MS = 15_000;
const LAG_MS = 10_000;
const LONGEST_PAUSE_MS = 500;

/**
 * Gets one action onto the channel: endorsed, ordered, and seen valid in a block that this process has verified itself.
 * Tried again only where that is safe and of use: a conflict of versions, or peers that lag behind what this process
 * has seen.
 */
export class Sender {
  readonly traffic: Traffic = { transactions: 0, conflicts: 0 };
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /**
   * Sends an action; `sent` is asked and told whether it may have gone through already, so that a refusal as done counts as
   * success. Errors: the contract's `Refusal` or `Misuse`; `Fault LEDGER_DOWN` when the network does not take it now, which
   * includes a refusal by peers that stay behind: the blocks seen here say that the contract takes the action.
   */
  async send(signed: SignedAction, sent: { maybe: boolean }, signal: AbortSignal): Promise<Place> {
    const lagEnds = performance.now() + (this.#parts.lagMs ?? LAG_MS);
    for (let conflicts = 0; ;) {
      this.#parts.follower.requireHonest();
      if (signal.aborted) throw new Misuse('OUT_OF_ORDER', 'this ledger connection is closed');
      try {
        const place = await this.#once(signed, sent, signal);
        if (place !== undefined) return place;
        this.traffic.conflicts += 1;
        if (++conflicts > CONFLICTS) throw crowded();
      } catch (error) {
        if (!(error instanceof Refusal || error instanceof Misuse)) throw error;
        const done = await this.#doneAlready(signed, sent, signal);
        if (done !== undefined) return done;
        if (!(await this.#mayBeLag(signed, error, signal))) throw error;
        if (performance.now() > lagEnds) throw behind(error);
        conflicts += 1;
      }
      await backOff(conflicts, signal);
    }
  }

  /** One transaction. Undefined after a conflict of versions. */
  async #once(signed: SignedAction, sent: { maybe: boolean }, signal: AbortSignal): Promise<Place | undefined> {
    const { gateways, follower, chaincode } = this.#parts;
    const { line } = gateways;
    const proposal = line.contract(chaincode).newProposal('apply', { arguments: [canonicalText(signed)] });
    const transaction = await this.#step(line, 'endorsing', () => proposal.endorse());
    const patience = AbortSignal.any([signal, AbortSignal.timeout(COMMIT_MS)]);
    const outcome = follower.outcome(transaction.getTransactionId(), patience);
    outcome.catch(() => undefined);
    const earlier = sent.maybe;
    sent.maybe = true;
    this.traffic.transactions += 1;
    await this.#step(line, 'ordering', () => transaction.submit());
    const verdict = await outcome;
    if (verdict === 'VALID') {
      const place = follower.replica.find(signed);
      if (place !== undefined) return place;
      throw new Fault('INTERNAL', 'a valid transaction of this process made no entry');
    }
    // The fate of this one is known now; that of an earlier one may still be open.
    sent.maybe = earlier;
    if (verdict === 'MVCC_READ_CONFLICT' || verdict === 'PHANTOM_READ_CONFLICT') return undefined;
    throw new Fault('LEDGER_DOWN', `the channel found the transaction invalid (${verdict})`, {
      hint: 'Has the membership of the channel just changed? It is tried again.',
    });
  }

  async #step<T>(line: Line, doing: string, run: () => Promise<T>): Promise<T> {
    try {
      return await run();
    } catch (error) {
      const known = fromGateway(error, `${doing} at ${line.endpoint}`);
      if (mayPass(known)) this.#parts.gateways.leave(line);
      throw known;
    }
  }

  /** Where an action stands that got through on an attempt whose answer was lost. */
  async #doneAlready(signed: SignedAction, sent: { maybe: boolean }, signal: AbortSignal): Promise<Place | undefined> {
    if (!sent.maybe) return undefined;
    const { follower } = this.#parts;
    await follower.refresh(AbortSignal.any([signal, AbortSignal.timeout(COMMIT_MS)]));
    return follower.replica.find(signed);
  }

  /**
   * Whether this process's own copy says that the contract takes the action: then the chaincode that refused has seen less, or
   * lies, and the refusal settles nothing.
   */
  async #mayBeLag(signed: SignedAction, refusal: HealthchainError, signal: AbortSignal): Promise<boolean> {
    if (!toldByChaincode(refusal)) return false;
    const { follower, identity } = this.#parts;
    // Somebody else may have done it in a block that has not come here yet.
    if (refusal.code === 'ALREADY_DONE') {
      await follower.refresh(AbortSignal.any([signal, AbortSignal.timeout(COMMIT_MS)]));
    }
    try {
      await follower.replica.rehearse(signed, identity);
      return true;
    } catch {
      return false;
    }
  }
}

/** With jitter: those who collided once should not collide again. */
const backOff = (times: number, signal: AbortSignal): Promise<void> =>
  pause(Math.random() * Math.min(10 * 2 ** Math.min(times, 10), LONGEST_PAUSE_MS), undefined, { signal }).catch(
    () => undefined,
  );

const behind = (cause: HealthchainError): Fault =>
  new Fault('LEDGER_DOWN', `peers are behind blocks that this process has seen, and refuse (${cause.code})`, {
    hint: 'It is tried again. See whether all peers reach the ordering service.',
    cause,
  });

const crowded = (): Fault =>
  new Fault('LEDGER_DOWN', `others changed what this action rests on ${CONFLICTS} times`, {
    hint: 'It is tried again; are many members acting on the same record at once?',
  });
