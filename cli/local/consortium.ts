import { mkdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, resolve } from 'node:path';
import type { NetworkDescription } from '../../ledger/fabric/network/description.ts';
import { found } from '../../ledger/index.ts';
import type { SitePolicy } from '../../hospital/policy.ts';
import type { DatasetMapping, PatientMapping } from '../../hospital/source/index.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Organisation, Role, Tier } from '../../protocol/ledger.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import type { Researcher } from '../../researcher/client.ts';
import { connectResearcher, type ConnectedLedger } from '../connect.ts';
import { writeWhole } from '../files.ts';
import { fabricMember, foundChannel, startLedger } from './ledgers.ts';
import { startRole, writeConfig, type RoleProcess } from './process.ts';

export interface LocalHospital {
  readonly id: string;
  readonly files: readonly string[];
  readonly mapping?: DatasetMapping | undefined;
  /** Which of its patients has which key, for datasets that rest on consent. */
  readonly consent?: PatientMapping;
}

export interface LocalOptions {
  /** Keys, configurations, ledger and logs go here. */
  readonly folder: string;
  readonly hospitals: readonly LocalHospital[];
  readonly schema: DatasetSchema;
  readonly policy: SitePolicy;
  /** A network of Fabric with a channel that holds no consortium yet, in place of an embedded ledger. */
  readonly fabric?: NetworkDescription | undefined;
  /** A second embedded ledger, the public one, for patients' statements and published results; the first is then for queries. */
  readonly publicLedger?: boolean;
  /** Triples that each hospital makes ahead while it is idle; none unless it is given, for one machine has other things to do. */
  readonly precompute?: number;
  /** Seconds; shorter ones make fault tests quick. */
  readonly deadlines?: {
    readonly approval?: number;
    readonly join?: number;
    readonly dropOut?: number;
    readonly session?: number;
  };
}

export const RESEARCHER = 'researcher';
const COORDINATOR = 'coordinator';
const ADMIN = 'consortium';

/**
 * A whole consortium on one machine, each role its own process with its own folder, key and configuration file,
 * started by the commands a real deployment uses. For the sandbox, the demo, tests and measurements.
 */
export class LocalConsortium {
  readonly options: LocalOptions;
  readonly researcher: Researcher;
  readonly ledger: ConnectedLedger;
  /** Of an embedded ledger; of Fabric the gateway of the research office. */
  readonly ledgerUrl: string;
  readonly coordinatorUrl: string;
  readonly processes: Map<string, RoleProcess>;
  readonly #close: () => Promise<void>;

  private constructor(options: LocalOptions, parts: Parts) {
    this.options = options;
    this.researcher = parts.researcher;
    this.ledger = parts.ledger;
    this.ledgerUrl = parts.ledgerUrl;
    this.coordinatorUrl = parts.coordinatorUrl;
    this.processes = parts.processes;
    this.#close = parts.close;
  }

  static async start(
    options: LocalOptions,
    started: (line: string) => void = () => undefined,
  ): Promise<LocalConsortium> {
    mkdirSync(join(options.folder, 'logs'), { recursive: true, mode: 0o700 });
    const processes = new Map<string, RoleProcess>();
    try {
      return new LocalConsortium(options, await startAll(options, processes, started));
    } catch (error) {
      await stopAll(processes);
      throw error;
    }
  }

  /** Starts a role again after it was killed, with the same folder and configuration. */
  async restart(name: string): Promise<void> {
    const role = name.endsWith('ledger') ? 'ledger' : name === COORDINATOR ? name : 'hospital';
    const { process } = await startRole(this.options.folder, name, role);
    this.processes.set(name, process);
  }

  async stop(): Promise<void> {
    await this.#close();
    await stopAll(this.processes);
  }
}

interface Parts {
  readonly researcher: Researcher;
  readonly ledger: ConnectedLedger;
  readonly ledgerUrl: string;
  readonly coordinatorUrl: string;
  readonly processes: Map<string, RoleProcess>;
  /** Ends the researcher's lines to the ledgers. */
  readonly close: () => Promise<void>;
}

async function startAll(
  options: LocalOptions,
  processes: Map<string, RoleProcess>,
  started: (line: string) => void,
): Promise<Parts> {
  const { folder, hospitals, schema } = options;
  const members: [string, Role[]][] = [
    [ADMIN, ['admin']],
    [RESEARCHER, ['researcher']],
    [COORDINATOR, ['coordinator']],
    ...hospitals.map(({ id }): [string, Role[]] => [id, ['hospital']]),
  ];
  const identities = new Map(members.map(([id]) => [id, makeIdentity(folder, id)]));
  const organisations = members.map(([id, roles]): Organisation => ({
    id,
    name: id,
    roles,
    publicKey: identities.get(id)!.publicKey,
    ...(options.fabric === undefined ? {} : { msp: fabricMember(options.fabric, hospitals, id).mspId }),
  }));
  const founder = { organisation: ADMIN, identity: identities.get(ADMIN)! };

  const foundingOf = (tier?: Tier) => found({ name: 'local consortium', organisations, founder, tier });
  const founding = foundingOf(options.publicLedger ? 'consortium' : undefined);
  const { ledgerUrl, addressOf } =
    options.fabric === undefined
      ? await startLedger(folder, founding, processes)
      : await foundChannel(folder, founding, hospitals, options.fabric);
  started(`ledger at ${ledgerUrl}`);
  const open = options.publicLedger && (await startLedger(folder, foundingOf('public'), processes, 'public-ledger'));
  if (open) started(`public ledger at ${open.ledgerUrl}`);

  const ledgersOf = (id: string) => ({
    ledger: addressOf(id),
    ...(open && { publicLedger: open.addressOf(id) }),
  });
  const member = (id: string): object => ({
    organisation: id,
    keyFile: `${id}.pem`,
    stateFolder: id,
    ...ledgersOf(id),
  });
  const coordinatorFile = (port: number): object => ({
    ...member(COORDINATOR),
    port,
    ...(options.deadlines === undefined ? {} : { deadlines: options.deadlines }),
  });
  writeConfig(folder, COORDINATOR, coordinatorFile(0));
  const coordinator = await startRole(folder, COORDINATOR, 'coordinator');
  processes.set(COORDINATOR, coordinator.process);
  const coordinatorUrl = coordinator.ready.url!;
  writeConfig(folder, COORDINATOR, coordinatorFile(Number(new URL(coordinatorUrl).port)));
  started(`coordinator at ${coordinatorUrl}`);

  const config = {
    organisation: RESEARCHER,
    keyFile: join(folder, `${RESEARCHER}.pem`),
    stateFolder: join(folder, RESEARCHER),
    ...ledgersOf(RESEARCHER),
    coordinator: { url: coordinatorUrl },
  };
  const connected = await connectResearcher(config);
  await connected.ledger.submit(founder, { type: 'registerSchema', schema });

  writeConfig(folder, 'policy', options.policy);
  // Many engines that each take every core of one machine get in each other’s way.
  const threads = hospitals.length > 2 * availableParallelism() ? { threads: 1 } : {};
  for (const { id, files, mapping, consent } of hospitals) {
    const datasets = {
      [schema.dataset]: {
        files: files.map((file) => resolve(file)),
        ...threads,
        ...(mapping === undefined ? {} : { mapping }),
        ...(consent === undefined ? {} : { consent: { ...consent, keys: resolve(consent.keys) } }),
      },
    };
    writeConfig(folder, id, {
      ...member(id),
      coordinator: { url: coordinatorUrl },
      datasets,
      policyFile: 'policy.json',
      precompute: { triples: options.precompute ?? 0 },
    });
  }
  await startHospitals(folder, hospitals, processes, started);
  return { ...connected, ledgerUrl, coordinatorUrl, processes };
}

/** A few at a time: a hundred starting processes would only get in each other's way. */
async function startHospitals(
  folder: string,
  hospitals: readonly LocalHospital[],
  processes: Map<string, RoleProcess>,
  started: (line: string) => void,
): Promise<void> {
  const waiting = [...hospitals];
  const worker = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
      const { process } = await startRole(folder, next.id, 'hospital');
      processes.set(next.id, process);
      started(`hospital ${next.id}, process ${process.pid}`);
    }
  };
  await Promise.all(Array.from({ length: 4 }, worker));
}

function makeIdentity(folder: string, id: string): Identity {
  const identity = Identity.generate();
  writeWhole(join(folder, `${id}.pem`), identity.toPem(), 0o600);
  return identity;
}

async function stopAll(processes: ReadonlyMap<string, RoleProcess>): Promise<void> {
  // Hospitals first: a node that outlives its coordinator would only log that it is gone.
  for (const process of [...processes.values()].reverse()) await process.stop();
}
