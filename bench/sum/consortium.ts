import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RoleProcess } from '../../cli/local/process.ts';
import { found, RemoteLedger } from '../../ledger/index.ts';
import type { Member } from '../../ledger/ledger.ts';
import { ENCOUNTERS_SCHEMA } from '../../hospital/synthetic/index.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Role } from '../../protocol/ledger.ts';
import type { SessionRecord } from '../../protocol/records.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { CoordinatorClient } from '../../researcher/coordinator.ts';
import { holding } from '../leaving.ts';
import { hospitalName } from '../measurement.ts';

/**
 * A real ledger and a real coordinator as processes of their own, for hospitals that are not there yet: their nodes are
 * scripts of a bench, which hold given numbers and no records.
 */
export interface BareConsortium {
  readonly coordinator: RoleProcess;
  readonly coordinatorUrl: string;
  readonly client: CoordinatorClient;
  readonly ledger: RemoteLedger;
  readonly hospitals: readonly Member[];
  readonly researcher: Member;
  readonly answerKey: ExchangeKey;
}

export async function withBareConsortium<T>(
  folder: string,
  parties: number,
  run: (of: BareConsortium) => Promise<T>,
): Promise<T> {
  const member = (organisation: string): Member => ({ organisation, identity: Identity.generate() });
  const hospitals = Array.from({ length: parties }, (_, i) => member(hospitalName(i)));
  const [admin, relay, researcher] = [member('admin'), member('relay'), member('researcher')];
  const roles: [Member, Role][] = [
    [admin, 'admin'],
    [relay, 'coordinator'],
    [researcher, 'researcher'],
    ...hospitals.map((each): [Member, Role] => [each, 'hospital']),
  ];
  const organisations = roles.map(([{ organisation: id, identity }, role]) => ({
    id,
    name: id,
    roles: [role],
    publicKey: identity.publicKey,
  }));
  const write = (name: string, content: string): string => {
    writeFileSync(join(folder, name), content, { mode: 0o600 });
    return join(folder, name);
  };
  write('founding.json', JSON.stringify(found({ name: 'bench', organisations, founder: admin })));
  write('relay.pem', relay.identity.toPem());
  mkdirSync(join(folder, 'logs'));
  const start = (name: string, role: string, config: object): ReturnType<typeof RoleProcess.start> =>
    RoleProcess.start(
      name,
      [role, 'start', '--config', write(`${name}.json`, JSON.stringify(config))],
      join(folder, 'logs'),
    );

  const ledgerProcess = await start('ledger', 'ledger', { folder: 'ledger', port: 0, foundingFile: 'founding.json' });
  return holding(
    () => ledgerProcess.process.stop(),
    async () => {
      const { url, consortium, operatorKey } = ledgerProcess.ready;
      const relayProcess = await start('relay', 'coordinator', {
        organisation: 'relay',
        keyFile: 'relay.pem',
        stateFolder: 'relay',
        ledger: { url, consortium, operatorKey },
        port: 0,
      });
      return holding(
        () => relayProcess.process.stop(),
        async () => {
          const ledger = await RemoteLedger.connect({ url: url!, consortium: consortium! });
          await ledger.submit(admin, { type: 'registerSchema', schema: ENCOUNTERS_SCHEMA });
          const coordinatorUrl = relayProcess.ready.url!;
          try {
            return await run({
              coordinator: relayProcess.process,
              coordinatorUrl,
              client: new CoordinatorClient(coordinatorUrl),
              ledger,
              hospitals,
              researcher,
              answerKey: ExchangeKey.generate(),
            });
          } finally {
            await ledger.close();
          }
        },
      );
    },
  );
}

/** Submits a query, has it approved by all, and waits until the coordinator has opened its session. */
export async function openSession(of: BareConsortium): Promise<SessionRecord> {
  const { ledger, researcher, hospitals, answerKey } = of;
  const { id } = await ledger.submit(researcher, {
    type: 'submitQuery',
    query: {
      dataset: 'encounters@1',
      purpose: 'GRU',
      statistics: [{ count: {} }],
      release: everythingOpens(),
    },
    answerKey: answerKey.publicKey,
    hospitals: hospitals.map(({ organisation }) => organisation),
    steps: 1,
    nonce: '5'.repeat(64),
  });
  await Promise.all(hospitals.map((each) => ledger.submit(each, { type: 'approveQuery', query: id })));
  for await (const entry of ledger.entries(0, AbortSignal.timeout(30_000))) {
    if (entry.index + 1 < ledger.head().size) continue;
    const session = ledger.session(ledger.query(id)?.sessions.at(-1) ?? '');
    if (session !== undefined) return session;
  }
  throw new Error('the coordinator opened no session');
}
