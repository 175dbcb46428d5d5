import { randomBytes } from 'node:crypto';
import type { Logger } from 'pino';
import type { Ledger, Member } from '../ledger/ledger.ts';
import { openChannel } from '../mpc/session/handshake.ts';
import type { RandomSource } from '../mpc/transport.ts';
import { asHealthchainError, Fault } from '../protocol/errors.ts';
import { derivePreparationId, inOrder, type Frame, type PreparationRequest } from '../protocol/frame.ts';
import type { Lease } from './pool/lease.ts';
import { BATCH_SLICES, makeAhead } from './pool/making.ts';
import type { Pool } from './pool/pool.ts';
import { SLICE_TRIPLES } from './pool/shape.ts';
import type { Precompute } from './precompute.ts';
import { SessionRelay } from './session/relay.ts';
import { activeKeys } from './session/session.ts';

export interface PreparingParts {
  readonly ledger: Ledger;
  readonly member: Member;
  readonly pool: Pool;
  readonly precompute: Precompute;
  readonly send: (frame: Frame) => Promise<void>;
  readonly connected: () => boolean;
  /** False while a query is worked on: then nothing is begun, and what is under way stops after its batch. */
  readonly idle: () => boolean;
  readonly random: RandomSource;
  readonly log: Logger;
  /** `first`: this hospital begins where it is the first of a roster, so that not all begin at once. `any`: it begins itself. */
  readonly begins?: 'first' | 'any';
  /** Milliseconds between two looks whether there is something to do. */
  readonly interval?: number;
}

const INTERVAL_MS = 2000;
const ANSWER_MS = 15_000;
const SESSION_MS = 15 * 60_000;
const LEDGER_MS = 5000;
const LONGEST_WAIT_MS = 10 * 60_000;
/** Preparations this process has seen: none takes part twice under one name. */
const SEEN_LIMIT = 4096;
const BATCH_TRIPLES = BATCH_SLICES * SLICE_TRIPLES;

interface Running {
  readonly id: string;
  readonly roster: readonly string[];
  readonly end: AbortController;
  readonly relay: SessionRelay;
}

/**
 * Fills the pool while the node is idle, in sessions of their own with the other hospitals (docs/protocol.md §6). A hospital
 * takes part only if it wants stock for that roster, sees all of it as hospitals on its own ledger, and has nothing else to do.
 */
export class Preparing {
  readonly #parts: PreparingParts;
  readonly #seen = new Set<string>();
  readonly #waits = new Map<string, { failures: number; until: number }>();
  #running: Running | undefined;
  /** Asked for, and not answered yet. */
  #asked: { readonly id: string; readonly roster: readonly string[]; readonly until: number } | undefined;
  #timer: NodeJS.Timeout | undefined;
  #finished: Promise<void> = Promise.resolve();

  constructor(parts: PreparingParts) {
    this.#parts = parts;
  }

  start(): void {
    if (this.#parts.precompute.triples === 0) return;
    this.#timer = setInterval(() => this.#look(), this.#parts.interval ?? INTERVAL_MS);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#running?.end.abort(new Fault('PEER_GONE', 'this node is shutting down'));
    await this.#finished;
  }

  /** Rosters that lack stock here. */
  get lacking(): (readonly string[])[] {
    return this.wanted.filter((roster) => this.#lacks(roster));
  }

  get busy(): boolean {
    return this.#running !== undefined;
  }

  /** The coordinator says that a preparation begins. */
  heed(request: PreparationRequest, id: string): void {
    if (this.#asked?.id === id) this.#asked = undefined;
    const decline = this.#whyNot(request, id);
    this.#remember(id);
    if (decline !== undefined) {
      this.#parts.log.debug({ session: id, why: decline }, 'preparation declined');
      this.#over(id, 'declined');
      return;
    }
    const lease = this.#parts.pool.leaseForPreparing(id, request.roster);
    if (lease === undefined) return this.#over(id, 'declined');
    const end = new AbortController();
    const { roster } = request;
    const from = roster.indexOf(this.#parts.member.organisation);
    const transmit = (to: number, payload: Uint8Array): Promise<void> =>
      this.#parts.send({ type: 'relay', session: id, from, to, payload });
    this.#running = { id, roster, end, relay: new SessionRelay(roster, transmit, end.signal) };
    this.#finished = this.#run(this.#running, request, lease);
  }

  /** True for a frame of a preparation. */
  deliver(frame: Extract<Frame, { type: 'relay' }>): boolean {
    if (this.#running?.id === frame.session) this.#running.relay.deliver(frame.from, frame.payload);
    return this.#seen.has(frame.session);
  }

  /** The coordinator says that it is over. */
  ended({ session, outcome }: Extract<Frame, { type: 'over' }>['over']): void {
    if (this.#asked?.id === session) {
      this.#later(this.#asked.roster);
      this.#asked = undefined;
    }
    if (this.#running?.id === session) {
      this.#running.end.abort(new Fault('PEER_GONE', `the preparation was ended: ${outcome}`));
    }
  }

  lostConnection(): void {
    this.#asked = undefined;
    this.#running?.end.abort(new Fault('COORDINATOR_DOWN', 'the connection broke during the preparation'));
  }

  #look(): void {
    const { idle, connected, member, begins, ledger, send, log } = this.#parts;
    if (this.#asked !== undefined && Date.now() > this.#asked.until) this.#asked = undefined;
    if (this.#running !== undefined || this.#asked !== undefined || !idle() || !connected()) return;
    const roster = this.lacking.find(
      (each) => (begins === 'any' || each[0] === member.organisation) && this.#due(each),
    );
    if (roster === undefined) return;
    const request = { roster: [...roster], size: ledger.head().size, nonce: randomBytes(32).toString('hex') };
    this.#asked = { id: derivePreparationId(request), roster, until: Date.now() + ANSWER_MS };
    log.debug({ session: this.#asked.id, roster }, 'asks to prepare stock');
    send({ type: 'prepare', request }).catch(() => (this.#asked = undefined));
  }

  #whyNot({ roster, size, nonce }: PreparationRequest, id: string): string | undefined {
    const { idle, member } = this.#parts;
    if (derivePreparationId({ roster, size, nonce }) !== id || this.#seen.has(id)) return 'not a new preparation';
    if (!roster.includes(member.organisation) || !inOrder(roster)) return 'not in the roster';
    if (this.#timer === undefined || this.#running !== undefined || !idle()) return 'busy';
    if (!this.wanted.some((each) => each.join() === roster.join())) return 'no stock is wanted for this roster';
    return undefined;
  }

  /** Rosters that are prepared for. */
  get wanted(): (readonly string[])[] {
    const { precompute, pool, member } = this.#parts;
    if (precompute.triples === 0) return [];
    const rosters = precompute.rosters === 'seen' ? pool.rosters : precompute.rosters.map((each) => [...each].sort());
    return rosters.filter(
      (roster) => roster.includes(member.organisation) && roster.every((each) => this.#isHospital(each)),
    );
  }

  #isHospital(organisation: string): boolean {
    const { ledger } = this.#parts;
    const record = ledger.organisation(organisation);
    if (record?.suspended !== undefined) return false;
    return record?.roles.includes('hospital') === true && record.keys.some(({ status }) => status === 'active');
  }

  #lacks(roster: readonly string[]): boolean {
    const { pool, precompute, begins } = this.#parts;
    const whole = precompute.triples - (precompute.triples % SLICE_TRIPLES);
    // A quarter is worth a session by itself; who asks for it now gets all.
    const worth = begins === 'any' ? 0 : Math.min(whole / 4, BATCH_TRIPLES);
    return whole - pool.triplesOf(roster) >= Math.max(worth, SLICE_TRIPLES);
  }

  async #run(running: Running, request: PreparationRequest, lease: Lease): Promise<void> {
    const { pool, log } = this.#parts;
    const { id, roster, end } = running;
    const deadline = setTimeout(() => end.abort(new Fault('DEADLINE', 'the preparation took too long')), SESSION_MS);
    try {
      await this.#prepare(running, request, lease);
      pool.finish(id);
      this.#waits.delete(roster.join());
      this.#over(id, 'complete');
      log.info({ session: id, roster, triples: pool.triplesOf(roster) }, 'stock prepared');
    } catch (error) {
      pool.fail(id);
      const known = asHealthchainError(error, (cause) => new Fault('INTERNAL', 'the preparation failed', { cause }));
      const { code, party, round } = known;
      log.warn({ session: id, roster, code, party, round }, `preparation failed: ${known.message}`);
      this.#over(id, 'failed');
      this.#later(roster);
    } finally {
      clearTimeout(deadline);
      this.#running = undefined;
    }
  }

  async #prepare({ id, roster, end, relay }: Running, { size }: PreparationRequest, lease: Lease): Promise<void> {
    const { ledger, member, precompute, random, idle, log } = this.#parts;
    await this.#untilLedger(size, end.signal);
    const setting = {
      session: id,
      self: member.organisation,
      roster,
      identityKeys: (party: string) => activeKeys(ledger, party),
      ledger: { size, root: ledger.rootAt(size) },
    };
    const channel = await openChannel(setting, relay, member.identity, random);
    await makeAhead(lease, channel, random, {
      target: precompute.triples,
      masksPerTriple: precompute.masksPerTriple,
      goOn: () => idle() && this.#timer !== undefined,
      made: (triples) => log.info({ session: id, roster, triples, of: precompute.triples }, 'preparing stock'),
    });
  }

  /** Another hospital may have read further than this one. */
  async #untilLedger(size: number, signal: AbortSignal): Promise<void> {
    const { ledger } = this.#parts;
    const end = Date.now() + LEDGER_MS;
    while (ledger.head().size < size) {
      signal.throwIfAborted();
      if (Date.now() > end) throw new Fault('LEDGER_DOWN', 'the ledger does not reach the position of the preparation');
      await ledger.refresh().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  #over(session: string, outcome: 'complete' | 'declined' | 'failed'): void {
    this.#parts.send({ type: 'over', over: { session, outcome } }).catch(() => undefined);
  }

  #due(roster: readonly string[]): boolean {
    return Date.now() >= (this.#waits.get(roster.join())?.until ?? 0);
  }

  /** Longer after each refusal or failure in a row. */
  #later(roster: readonly string[]): void {
    const failures = (this.#waits.get(roster.join())?.failures ?? 0) + 1;
    const wait = Math.min(LONGEST_WAIT_MS, (this.#parts.interval ?? INTERVAL_MS) * 2 ** Math.min(failures, 20));
    this.#waits.set(roster.join(), { failures, until: Date.now() + wait * (0.75 + Math.random() / 2) });
  }

  #remember(id: string): void {
    this.#seen.add(id);
    const [oldest] = this.#seen;
    if (this.#seen.size > SEEN_LIMIT) this.#seen.delete(oldest!);
  }
}
