import { join } from 'node:path';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { pino, type Logger } from 'pino';
import { startCoordinator, type Coordinator, type Deadlines } from '../../coordinator/index.ts';
import { HospitalNode, type HospitalOptions } from '../../hospital/node.ts';
import { ENCOUNTERS_SCHEMA, generateEncounters } from '../../hospital/synthetic/index.ts';
import { found, RemoteLedger, startLedgerServer, type LedgerServer, type Member } from '../../ledger/index.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action, Role } from '../../protocol/ledger.ts';
import type { SessionRecord } from '../../protocol/records.ts';
import { AnswerKeys } from '../../researcher/answers.ts';
import { Researcher } from '../../researcher/client.ts';
import { CoordinatorClient } from '../../researcher/coordinator.ts';
import { makeFolder, OPEN_POLICY, OPEN_RELEASE, removeFolder, until } from '../end-to-end/world.ts';

/** A coordinator that never gives a query up, so that tests can act for a dishonest one after the honest would have. */
const withoutClosing = (ledger: RemoteLedger): RemoteLedger =>
  new Proxy(ledger, {
    get(target, name) {
      if (name === 'submit') {
        return (member: Member, action: Action) =>
          action.type === 'closeQuery' ? new Promise(() => undefined) : target.submit(member, action);
      }
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });

export const ROWS = 50;
export const query = {
  dataset: 'encounters',
  purpose: 'GRU',
  release: OPEN_RELEASE,
  statistics: [{ count: {} }, { sum: { column: 'age' } }],
};

/**
 * A consortium in one process, so that a test can hold a member's key, stand between two members, or run a node that
 * cheats. The parts are the real ones and speak over real sockets.
 */
export class Members {
  readonly folder = makeFolder('members');
  readonly logs = new Map<string, string[]>();
  readonly #members = new Map<string, Member>();
  readonly #open: { close(): Promise<void> }[] = [];
  ledgerServer!: LedgerServer;
  coordinator!: Coordinator;
  /** The test's own view of the ledger, and the researcher's. */
  ledger!: RemoteLedger;
  researcher!: Researcher;
  files: readonly string[] = [];

  static async start(hospitals: readonly string[], deadlines: Partial<Deadlines> = {}): Promise<Members> {
    const members = new Members();
    const { folder } = members;
    const roles: Readonly<Record<string, Role | undefined>> = {
      consortium: 'admin',
      researcher: 'researcher',
      coordinator: 'coordinator',
      auditor: 'auditor',
    };
    const ids = [...Object.keys(roles), ...hospitals];
    for (const organisation of ids) members.#members.set(organisation, { organisation, identity: Identity.generate() });
    const organisations = ids.map((id) => ({
      id,
      name: id,
      roles: [roles[id] ?? 'hospital'],
      publicKey: members.member(id).identity.publicKey,
    }));
    members.files = (await generateEncounters({ hospitals: hospitals.length, rows: ROWS, seed: 5, out: folder })).files;
    members.ledgerServer = await startLedgerServer({
      folder: join(folder, 'ledger'),
      host: '127.0.0.1',
      port: 0,
      founding: found({ name: 'members', organisations, founder: members.member('consortium') }),
      clock: Date.now,
    });
    members.ledger = await members.view();
    await members.ledger.submit(members.member('consortium'), { type: 'registerSchema', schema: ENCOUNTERS_SCHEMA });
    members.coordinator = await startCoordinator({
      host: '127.0.0.1',
      port: 0,
      ledger: withoutClosing(await members.view()),
      member: members.member('coordinator'),
      log: members.log('coordinator'),
      deadlines: { approval: 20_000, join: 2000, dropOut: 300, session: 20_000, ...deadlines },
    });
    members.researcher = new Researcher({
      ledger: members.ledger,
      coordinator: new CoordinatorClient(members.coordinator.url),
      member: members.member('researcher'),
      answerKeys: new AnswerKeys(join(folder, 'answer-keys')),
    });
    return members;
  }

  member(id: string): Member {
    return this.#members.get(id)!;
  }

  /** A fresh view of the ledger, closed at the end. */
  async view(): Promise<RemoteLedger> {
    const ledger = await RemoteLedger.connect({ url: this.ledgerServer.url });
    this.#open.push(ledger);
    return ledger;
  }

  log(name: string): Logger {
    const lines = this.logs.get(name) ?? [];
    this.logs.set(name, lines);
    return pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) });
  }

  /** Writes the configuration of the researcher, for its commands, and returns its path. */
  researcherConfig(): string {
    const file = join(this.folder, 'researcher.json');
    writeFileSync(join(this.folder, 'researcher.pem'), this.member('researcher').identity.toPem(), { mode: 0o600 });
    const { url } = this.ledgerServer;
    const config = {
      ...{ organisation: 'researcher', keyFile: 'researcher.pem', stateFolder: '.' },
      ...{ ledger: { url }, coordinator: { url: this.coordinator.url } },
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  }

  stateFolder(id: string): string {
    return join(this.folder, 'state', id);
  }

  async options(id: string, place: number): Promise<HospitalOptions> {
    return {
      ledger: await this.view(),
      member: this.member(id),
      coordinatorUrl: this.coordinator.url,
      datasets: { encounters: { files: [this.files[place]!] } },
      policy: OPEN_POLICY,
      stateFolder: this.stateFolder(id),
      log: this.log(id),
    };
  }

  /** Starts an honest node and waits until it is connected. */
  async node(id: string, place: number, other: Partial<HospitalOptions> = {}): Promise<HospitalNode> {
    const node = new HospitalNode({ ...(await this.options(id, place)), ...other });
    this.closeAtEnd(node);
    node.start();
    await until(`${id} to connect`, () => node.connected);
    return node;
  }

  closeAtEnd(part: { close(): Promise<void> }): void {
    this.#open.push(part);
  }

  sessionsOf(id: string): SessionRecord[] {
    return (this.ledger.query(id)?.sessions ?? []).map((each) => this.ledger.session(each)!);
  }

  session(id: string, attempt: number): Promise<SessionRecord> {
    return until(`attempt ${attempt}`, () => this.sessionsOf(id)[attempt]);
  }

  /** Sealed shares that wait at a hospital. */
  shares(hospital: string): string[] {
    const outbox = join(this.stateFolder(hospital), 'outbox');
    return existsSync(outbox) ? readdirSync(outbox).filter((name) => name.endsWith('.share')) : [];
  }

  opened(hospital: string, id: string): number {
    const journal = join(this.stateFolder(hospital), 'journal.jsonl');
    return existsSync(journal) ? readFileSync(journal, 'utf8').split(id).length - 1 : 0;
  }

  async close(): Promise<void> {
    for (const part of this.#open.reverse()) await part.close();
    await this.coordinator.close();
    await this.ledgerServer.close();
    removeFolder(this.folder);
  }
}
