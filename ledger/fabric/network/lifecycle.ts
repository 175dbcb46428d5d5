import { join } from 'node:path';
import { Fault } from '../../../protocol/errors.ts';
import { CHAINCODE, type NetworkPlan, type Paths, type PlannedOrderer, type PlannedOrganisation } from './plan.ts';
import { packageId } from './package.ts';
import type { Programs } from './programs.ts';
import { PROFILE } from './channel-config.ts';
import { runProgram, untilDone } from './run.ts';

const SECONDS = 120;
const VERSION = ['--version', '1.0', '--sequence', '1'] as const;

/** Fabric's own commands, as an administrator of each organisation runs them. */
export class Lifecycle {
  readonly #at: Paths;
  readonly #plan: NetworkPlan;
  readonly #programs: Programs;
  readonly #stop: () => void;

  /** `stop` throws when waiting longer makes no sense: a process of the network has ended. */
  constructor(at: Paths, plan: NetworkPlan, programs: Programs, stop: () => void) {
    this.#at = at;
    this.#plan = plan;
    this.#programs = programs;
    this.#stop = stop;
  }

  async makeGenesis(channel: string): Promise<void> {
    const args = ['-profile', PROFILE, '-channelID', channel, '-outputBlock', this.#at.genesis(channel)];
    await runProgram(this.#programs.path.configtxgen, args, { FABRIC_CFG_PATH: this.#at.channelConfiguration });
  }

  async joinOrderer(orderer: PlannedOrderer, channel: string): Promise<void> {
    const tls = join(this.#at.ordererAdmin, 'tls');
    const connection = ['-o', `127.0.0.1:${orderer.adminPort}`, '--ca-file', join(tls, 'ca.crt')];
    const certificate = ['--client-cert', join(tls, 'client.crt'), '--client-key', join(tls, 'client.key')];
    await this.#until(`${orderer.name} joining ${channel}`, async () => {
      const args = ['channel', 'join', '--channelID', channel, '--config-block', this.#at.genesis(channel)];
      const answer = await runProgram(this.#programs.path.osnadmin, [...args, ...connection, ...certificate]);
      // The program ends well whatever the orderer answers. 405: it is a member already.
      if (!/Status: (201|405)/.test(answer)) throw new Fault('INTERNAL', `${orderer.name}: ${answer.trim()}`);
    });
  }

  async joinPeer(organisation: PlannedOrganisation, channel: string): Promise<void> {
    await this.#until(`${organisation.name} joining ${channel}`, () =>
      this.#peer(organisation, 'channel', 'join', '-b', this.#at.genesis(channel)),
    );
  }

  async install(organisation: PlannedOrganisation): Promise<void> {
    await this.#until(`installing the chaincode at ${organisation.name}`, () =>
      this.#peer(organisation, 'lifecycle', 'chaincode', 'install', this.#at.package(organisation.name)),
    );
  }

  async approve(organisation: PlannedOrganisation, channel: string): Promise<void> {
    const id = ['--package-id', packageId(this.#at, organisation)];
    await this.#until(`approval of the chaincode by ${organisation.name} on ${channel}`, () =>
      this.#peer(organisation, ...this.#definition('approveformyorg', channel), ...id),
    );
  }

  /** By the first organisation, endorsed by all. */
  async commit(channel: string): Promise<void> {
    const [first] = this.#plan.organisations;
    const endorsers = this.#plan.organisations.flatMap(({ domain, port }) => [
      '--peerAddresses',
      `127.0.0.1:${port}`,
      '--tlsRootCertFiles',
      join(this.#at.node(domain, 'peer0'), 'tls', 'ca.crt'),
    ]);
    await this.#until(`committing the chaincode on ${channel}`, () =>
      this.#peer(first!, ...this.#definition('commit', channel), ...endorsers),
    );
  }

  #definition(step: string, channel: string): string[] {
    const [orderer] = this.#plan.orderers;
    const ca = join(this.#at.orderer(orderer!.name), 'tls', 'ca.crt');
    const ordering = ['-o', `127.0.0.1:${orderer!.port}`, '--tls', '--cafile', ca];
    return ['lifecycle', 'chaincode', step, ...ordering, '--channelID', channel, '--name', CHAINCODE, ...VERSION];
  }

  #peer({ name, domain }: PlannedOrganisation, ...args: readonly string[]): Promise<string> {
    return runProgram(this.#programs.path.peer, args, {
      FABRIC_CFG_PATH: this.#at.home(name),
      CORE_PEER_MSPCONFIGPATH: join(this.#at.user(domain, 'Admin'), 'msp'),
      FABRIC_LOGGING_SPEC: 'error',
    });
  }

  async #until(what: string, attempt: () => Promise<unknown>): Promise<void> {
    await untilDone(what, { seconds: SECONDS, pauseMs: 200, stop: this.#stop }, attempt);
  }
}
