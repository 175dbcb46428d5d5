import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { Identity } from '../../protocol/identity.ts';
import type { Action, ActionOf, Role } from '../../protocol/ledger.ts';
import { proveRequest, PROOF_HEADER } from '../../protocol/request.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { found, RemoteLedger, startLedgerServer, type Ledger, type Member } from '../../ledger/index.ts';
import { startCoordinator, type Coordinator, type CoordinatorConfig } from '../index.ts';
import { TestHospital } from './hospital.ts';

/** The hospitals of the test consortium, sorted. */
export const HOSPITALS = ['east', 'north', 'south', 'west'] as const;
const ROLES: Readonly<Record<string, readonly Role[]>> = {
  board: ['admin'],
  relay: ['coordinator'],
  audit: ['auditor'],
  rita: ['researcher'],
  rob: ['researcher'],
  ...Object.fromEntries(HOSPITALS.map((hospital) => [hospital, ['hospital'] as const])),
};

/** Deadlines short enough for tests, long enough for a busy machine. */
export const QUICK = {
  approval: 60_000,
  join: 400,
  dropOut: 150,
  session: 60_000,
  handshake: 2000,
  retry: 100,
} as const;

let nonces = 0;
const hex = (value: number): string => value.toString(16).padStart(64, '0');

/** A consortium on a real embedded ledger, with a coordinator that can be killed and started again. */
export class World {
  readonly members: Readonly<Record<string, Member>>;
  readonly ledger: Ledger;
  readonly logged: string[] = [];
  readonly #ownLedger: Ledger;
  readonly #cleanUp: () => Promise<void>;
  readonly #hospitals: TestHospital[] = [];
  #coordinator: Coordinator | undefined;

  private constructor(of: {
    members: Readonly<Record<string, Member>>;
    ledger: Ledger;
    ownLedger: Ledger;
    cleanUp: () => Promise<void>;
  }) {
    this.members = of.members;
    this.ledger = of.ledger;
    this.#ownLedger = of.ownLedger;
    this.#cleanUp = of.cleanUp;
  }

  static async found(more: Readonly<Record<string, readonly Role[]>> = {}): Promise<World> {
    const roles = { ...ROLES, ...more };
    const members = Object.fromEntries(
      Object.keys(roles).map((organisation) => [organisation, { organisation, identity: Identity.generate() }]),
    );
    const organisations = Object.entries(roles).map(([id, held]) => ({
      id,
      name: id,
      roles: [...held],
      publicKey: members[id]!.identity.publicKey,
    }));
    const folder = await mkdtemp(join(tmpdir(), 'coordinator-'));
    const founding = found({ name: 'Test consortium', organisations, founder: members['board']! });
    const rate = { perSecond: 10_000, burst: 10_000 };
    const server = await startLedgerServer({ folder, founding, host: '127.0.0.1', port: 0, rate, clock: Date.now });
    const ledger = await RemoteLedger.connect({ url: server.url });
    // The coordinator reads through a connection of its own, as it would on another machine.
    const ownLedger = await RemoteLedger.connect({ url: server.url });
    const cleanUp = async (): Promise<void> => {
      await server.close();
      await rm(folder, { recursive: true });
    };
    const world = new World({ members, ledger, ownLedger, cleanUp });
    await world.act('board', {
      type: 'registerSchema',
      schema: {
        dataset: 'heart',
        version: 1,
        columns: [{ name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '130' }],
      },
    });
    return world;
  }

  member(organisation: string): Member {
    return this.members[organisation]!;
  }

  async act(organisation: string, action: Action): Promise<string> {
    return (await this.ledger.submit(this.member(organisation), action)).id;
  }

  async start(config: Partial<CoordinatorConfig> = {}): Promise<string> {
    this.#coordinator = await startCoordinator({
      host: '127.0.0.1',
      port: 0,
      ledger: this.#ownLedger,
      member: this.member('relay'),
      log: pino({ level: 'info' }, { write: (line: string) => void this.logged.push(line) }),
      ...config,
      deadlines: { ...QUICK, ...config.deadlines },
    });
    return this.#coordinator.url;
  }

  get url(): string {
    return this.#coordinator!.url;
  }
  get ownLedger(): Ledger {
    return this.#ownLedger;
  }

  /** As kill -9: nothing is written, connections break. */
  async kill(): Promise<void> {
    await this.#coordinator?.close();
    this.#coordinator = undefined;
  }

  async connect(organisation: string): Promise<TestHospital> {
    const hospital = await TestHospital.connect(this.url, this.member(organisation), this.ledger.consortium);
    this.#hospitals.push(hospital);
    return hospital;
  }

  async connectAll<const T extends readonly string[]>(organisations: T): Promise<{ [K in keyof T]: TestHospital }> {
    return (await Promise.all(organisations.map((each) => this.connect(each)))) as { [K in keyof T]: TestHospital };
  }

  submission(hospitals: readonly string[] = HOSPITALS, minimumHospitals = 2): ActionOf<'submitQuery'> {
    return {
      type: 'submitQuery',
      query: {
        dataset: 'heart@1',
        purpose: 'GRU',
        title: 'Mean age',
        cohort: { column: 'age', gte: 31 },
        statistics: [{ mean: { column: 'age' } }],
        release: everythingOpens(minimumHospitals),
      },
      answerKey: hex(7),
      hospitals: [...hospitals],
      steps: 2,
      nonce: hex(++nonces),
    };
  }

  submit(hospitals: readonly string[] = HOSPITALS, minimumHospitals = 2): Promise<string> {
    return this.act('rita', this.submission(hospitals, minimumHospitals));
  }

  /** A query that all hospitals asked have approved. */
  async approved(hospitals: readonly string[] = HOSPITALS, minimumHospitals = 2): Promise<string> {
    const query = await this.submit(hospitals, minimumHospitals);
    for (const hospital of hospitals) await this.act(hospital, { type: 'approveQuery', query });
    return query;
  }

  /** The id of the given attempt of a query, once the ledger has it. */
  async session(query: string, attempt = 0): Promise<string> {
    return await until(() => this.ledger.query(query)?.sessions[attempt]);
  }

  async ended(session: string): Promise<string> {
    return await until(() => this.ledger.session(session)?.abort?.reason);
  }

  commit(hospital: string, session: string, step = 0): Promise<string> {
    return this.act(hospital, { type: 'recordCommitment', session, step, commitment: hex(9) });
  }
  receipt(session: string, step = 0, final = true): Promise<string> {
    return this.act('rita', { type: 'recordReceipt', session, step, result: hex(11), final });
  }

  /** A signed request, as a member's client sends it. */
  async request(
    organisation: string,
    target: string,
    of: { method?: string; body?: string; now?: number; proof?: string; signal?: AbortSignal } = {},
  ): Promise<Response> {
    const { method = 'GET', body, now = Date.now(), signal } = of;
    const proof =
      of.proof ?? proveRequest(this.member(organisation), { method, target, body: Buffer.from(body ?? '') }, now);
    return await fetch(this.url + target, {
      method,
      headers: { [PROOF_HEADER]: proof, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
      ...(body === undefined ? {} : { body }),
      ...(signal === undefined ? {} : { signal }),
    });
  }

  async metric(line: string): Promise<number> {
    const text = await (await fetch(`${this.url}/metrics`)).text();
    const found = text.split('\n').find((each) => each.startsWith(`${line} `));
    return found === undefined ? 0 : Number(found.slice(line.length + 1));
  }

  async close(): Promise<void> {
    await this.kill();
    for (const hospital of this.#hospitals) hospital.kill();
    await this.ledger.close();
    await this.#ownLedger.close();
    await this.#cleanUp();
  }
}

/** Asks again and again until there is an answer; fails after ten seconds. */
export async function until<T>(condition: () => T | undefined | Promise<T | undefined>): Promise<T> {
  const end = Date.now() + 10_000;
  for (;;) {
    const value = await condition();
    if (value !== undefined && value !== false) return value;
    if (Date.now() > end) throw new Error(`timed out waiting for: ${condition.toString()}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

export const pause = (milliseconds: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, milliseconds));
