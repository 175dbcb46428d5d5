import { join } from 'node:path';
import { answerPull } from '../../hospital/answers.ts';
import { decideByPolicy, siteOf } from '../../hospital/approvals.ts';
import { Connection } from '../../hospital/connection/connection.ts';
import { Streams } from '../../hospital/connection/streams.ts';
import { Journal } from '../../hospital/journal.ts';
import type { HospitalOptions } from '../../hospital/node.ts';
import { Outbox } from '../../hospital/outbox.ts';
import { SessionRelay } from '../../hospital/session/relay.ts';
import { admitSession, runSession, type OpenedStep } from '../../hospital/session/session.ts';
import { Waiting } from '../../hospital/waiting.ts';
import { Pool } from '../../hospital/pool/pool.ts';
import { platformRandom } from '../../hospital/random.ts';
import type { StockDemand } from '../../mpc/boolean/stock.ts';
import type { Channel } from '../../mpc/session/channel.ts';
import { CellVector } from '../../mpc/cells.ts';
import { planQuery } from '../../analytics/index.ts';
import { toHex } from '../../protocol/bytes.ts';
import { hashDocument } from '../../protocol/canonical.ts';
import type { Frame } from '../../protocol/frame.ts';
import { LABEL } from '../../protocol/labels.ts';

/**
 * A node that follows the protocol in every message and every signature, and sends a share of other numbers than it
 * committed to: what a hospital could do that wants to steer the answer after it saw nobody's input.
 */
export class CheatingNode {
  readonly #options: HospitalOptions;
  readonly #connection: Connection;
  readonly #relays = new Map<string, SessionRelay>();
  readonly #early = new Map<string, { from: number; payload: Uint8Array }[]>();
  readonly #opened = new Map<string, OpenedStep>();
  readonly #seen = new Set<string>();
  readonly #waiting = new Waiting();
  readonly #stop = new AbortController();
  readonly #outbox: Outbox;
  readonly #journal: Journal;
  readonly #pool: Pool;
  /** Refuses to help finding the cheat, by leaving out its statement. */
  silent = false;

  constructor(options: HospitalOptions) {
    this.#options = options;
    this.#journal = new Journal(join(options.stateFolder, 'journal.jsonl'));
    this.#outbox = new Outbox(join(options.stateFolder, 'outbox'));
    this.#pool = Pool.open({ stateFolder: options.stateFolder, log: options.log, random: platformRandom });
    this.#connection = new Connection({
      url: options.coordinatorUrl,
      organisation: options.member.organisation,
      identity: options.member.identity,
      consortium: options.ledger.consortium,
      log: options.log,
    });
    const parts = {
      ledger: options.ledger,
      member: options.member,
      outbox: this.#outbox,
      untilOpened: () => Promise.resolve(),
      opened: (session: string) => (this.silent ? undefined : this.#opened.get(session)),
    };
    const streams = new Streams(
      (frame) => this.#connection.send(frame),
      (request) => answerPull(parts, request),
    );
    this.#connection.on('frame', (frame) => {
      if (frame.type === 'relay') this.#deliver(frame);
      else if (frame.type === 'pull' || frame.type === 'credit' || frame.type === 'cancel') streams.handle(frame);
      else void options.ledger.refresh().catch(() => undefined);
    });
  }

  get connected(): boolean {
    return this.#connection.connected;
  }

  start(): void {
    this.#connection.start();
    void this.#follow();
  }

  close(): Promise<void> {
    this.#stop.abort();
    this.#connection.close();
    this.#journal.close();
    this.#pool.close();
    return Promise.resolve();
  }

  async #follow(): Promise<void> {
    const { ledger, member, log } = this.#options;
    const site = siteOf({ ...this.#options, hospital: member.organisation });
    for await (const entry of ledger.entries(0, this.#stop.signal)) {
      if (entry.index + 1 < ledger.head().size) continue;
      this.#waiting.wake();
      for (const { sessions } of ledger.queries()) {
        const session = ledger.session(sessions.at(-1) ?? '');
        if (session?.status !== 'open' || this.#seen.has(session.id)) continue;
        this.#seen.add(session.id);
        this.#cheat(session.id).catch(() => undefined);
      }
      await decideByPolicy(site, member, log).catch(() => undefined);
    }
  }

  async #cheat(id: string): Promise<void> {
    const { ledger, member, log } = this.#options;
    const { signal } = this.#stop;
    const { session, query } = admitSession({ ledger, member, journal: this.#journal }, id);
    const schema = ledger.schema(query.query.dataset)!;
    const plan = planQuery(query.query, schema);
    const cells = CellVector.fromBigInts(Array.from({ length: plan.scanned }, () => 50n));
    const from = session.roster.indexOf(member.organisation);
    const relay = new SessionRelay(
      session.roster,
      (to, payload) => this.#connection.send({ type: 'relay', session: id, from, to, payload }),
      signal,
    );
    this.#relays.set(id, relay);
    for (const frame of this.#early.get(id) ?? []) relay.deliver(frame.from, frame.payload);
    const context = {
      ledger,
      member,
      journal: this.#journal,
      outbox: this.#outbox,
      random: platformRandom,
      log,
      untilLedger: <T>(condition: () => T | undefined) => this.#waiting.until(condition, signal),
      // After all agreed on the commitments, and before the share is sealed: other numbers.
      report: (_: number, stage: string) => {
        if (stage === 'agreed') cells.set(0, 4711n);
      },
      plan,
      scan: () =>
        Promise.resolve({
          cells,
          magnitudes: [],
          distributions: new Map(),
          sketch: () => Promise.reject(new Error('none')),
        }),
      consentEpoch: () => undefined,
      stock: (channel: Channel, demand: StockDemand) => this.#pool.stock(channel, demand),
      planDigest: toHex(hashDocument(LABEL.query, { query: query.query, schema })),
    };
    await runSession(context, { session, query }, relay, (_, kept) => void this.#opened.set(id, kept));
  }

  #deliver(frame: Extract<Frame, { type: 'relay' }>): void {
    const relay = this.#relays.get(frame.session);
    if (relay !== undefined) relay.deliver(frame.from, frame.payload);
    else this.#early.set(frame.session, [...(this.#early.get(frame.session) ?? []), frame]);
  }
}
