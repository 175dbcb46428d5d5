import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Fault, Misuse } from '../../../protocol/errors.ts';
import { chaincodeFile } from './bundle.ts';
import { channelConfig } from './channel-config.ts';
import { makeCryptoMaterial } from './crypto-material.ts';
import { describeNetwork } from './describe.ts';
import type { NetworkDescription } from './description.ts';
import {
  clearFolder,
  readDescription,
  readPlan,
  removeCleared,
  withFolder,
  writeJson,
  type NetworkFolder,
} from './folder.ts';
import { Lifecycle } from './lifecycle.ts';
import { ordererConfig, peerConfig } from './node-config.ts';
import { writeBuilder, writePackage } from './package.ts';
import { isFree, networkShape, paths, planNetwork, type NetworkPlan, type NetworkShape } from './plan.ts';
import { probeSubmit } from './probe.ts';
import { Processes, type ProcessSpec } from './processes.ts';
import { findPrograms, type Programs } from './programs.ts';
import { untilDone } from './run.ts';
import { processSpecs } from './specs.ts';

export interface UpOptions extends Partial<NetworkShape> {
  readonly folder: string;
  /** Told at each step. */
  readonly progress?: (line: string) => void;
  readonly signal?: AbortSignal;
}

const READY_SECONDS = 120;

/**
 * Brings a network of Fabric up on this machine, from its folder if one is there, and resolves when a transaction has
 * been submitted through the gateway of every organisation on every channel. Its processes outlive the caller;
 * `downNetwork` ends them. What fails leaves no process behind that it started.
 *
 * Errors: `Misuse BAD_CONFIG` (programs, folder, shape), `Fault PORT_IN_USE`, `PEER_GONE`, `DEADLINE`, `INTERNAL`.
 */
export async function upNetwork(options: UpOptions): Promise<NetworkDescription> {
  const programs = await findPrograms();
  options.progress?.(`Hyperledger Fabric ${programs.version}: ${programs.path.peer}`);
  return withFolder(options.folder, async (folder) => {
    const processes = new Processes(folder.at.processes);
    const known = readDescription(folder) && readPlan(folder);
    if (known !== undefined) requireSameShape(known, options);
    const before = processes.running();
    try {
      return known === undefined
        ? await create(folder, processes, programs, options)
        : await restart(folder, processes, programs, options, known);
    } catch (error) {
      await processes.stop(processes.running().filter((name) => !before.includes(name)));
      throw error;
    }
  });
}

/** Ends every process of a network; its folder stays, unless `remove` is set, and `upNetwork` continues from it. */
export async function downNetwork(folder: string, { remove = false } = {}): Promise<number> {
  if (!existsSync(folder)) return 0;
  const ended = await withFolder(folder, async (inside) => {
    const processes = new Processes(inside.at.processes);
    const running = processes.running().length;
    await processes.stop();
    if (remove) clearFolder(inside);
    return running;
  });
  if (remove) removeCleared(folder);
  return ended;
}

/** Ends one process of a network at once, as a crash would, or starts it again; for trying out what then happens. */
export const killProcess = (folder: string, name: string): Promise<void> =>
  withFolder(folder, ({ at }) => new Processes(at.processes).kill(name));

export async function startProcess(folder: string, name: string): Promise<void> {
  const programs = await findPrograms();
  await withFolder(folder, async (inside) => {
    const specs = processSpecs(inside.at, requirePlan(inside), programs, await chaincodeFile(inside.path));
    const spec = specs.find((each) => each.name === name);
    if (spec === undefined) throw new Misuse('BAD_CONFIG', `the network has no process ${name}`);
    new Processes(inside.at.processes).start(spec);
  });
}

/** Adds a channel with all members and the chaincode to a running network. It is not written into network.json. */
export async function addChannel(folder: string, channel: string): Promise<NetworkDescription> {
  const programs = await findPrograms();
  const at = paths(folder);
  const plan = requirePlan({ path: folder, at });
  const processes = new Processes(at.processes);
  const lifecycle = new Lifecycle(at, plan, programs, () => undefined);
  await openChannels(lifecycle, plan, [channel]);
  const extended = describeNetwork(at, { ...plan, channels: [channel] }, programs.version, processes.records);
  await ready(extended, processes, READY_SECONDS);
  return extended;
}

async function create(
  folder: NetworkFolder,
  processes: Processes,
  programs: Programs,
  options: UpOptions,
): Promise<NetworkDescription> {
  const { at } = folder;
  const say = options.progress ?? (() => undefined);
  const shape = networkShape(options);
  await processes.stop();
  clearFolder(folder);
  const plan = await planNetwork(shape);
  writeJson(at.plan, plan);
  await makeCryptoMaterial(folder.path, plan, programs);
  say(`certificates of ${plan.organisations.length} organisations`);
  writeBuilder(at);
  await Promise.all(plan.organisations.map((organisation) => writePackage(at, organisation)));
  await startAll(folder, plan, processes, programs);
  say(`${processes.records.length} processes started; logs in ${at.logs}`);

  const stop = stopWhenGone(processes, options.signal);
  const lifecycle = new Lifecycle(at, plan, programs, stop);
  const installed = Promise.all(plan.organisations.map((organisation) => lifecycle.install(organisation)));
  installed.catch(() => undefined);
  await openChannels(lifecycle, plan, plan.channels, installed, say);
  const description = describeNetwork(at, plan, programs.version, processes.records);
  await ready(description, processes, READY_SECONDS, options.signal);
  writeJson(at.description, description);
  return description;
}

async function restart(
  folder: NetworkFolder,
  processes: Processes,
  programs: Programs,
  options: UpOptions,
  plan: NetworkPlan,
): Promise<NetworkDescription> {
  await startAll(folder, plan, processes, programs);
  options.progress?.(`${processes.records.length} processes run from ${folder.path}`);
  const description = describeNetwork(folder.at, plan, programs.version, processes.records);
  await ready(description, processes, READY_SECONDS, options.signal);
  writeJson(folder.at.description, description);
  return description;
}

/** Writes the configuration of every process, and starts those that do not run. Errors: `Fault PORT_IN_USE`. */
async function startAll(
  { path, at }: NetworkFolder,
  plan: NetworkPlan,
  processes: Processes,
  programs: Programs,
): Promise<void> {
  mkdirSync(at.logs, { recursive: true, mode: 0o700 });
  for (const orderer of plan.orderers) {
    writeJson(join(at.home(orderer.name), 'orderer.yaml'), ordererConfig(at, orderer));
  }
  for (const organisation of plan.organisations) {
    writeJson(join(at.home(organisation.name), 'core.yaml'), peerConfig(at, organisation));
  }
  writeJson(join(at.channelConfiguration, 'configtx.yaml'), channelConfig(at, plan));
  const waiting = processSpecs(at, plan, programs, await chaincodeFile(path)).filter(
    ({ name }) => !processes.isRunning(name),
  );
  await requireFreePorts(plan, waiting);
  for (const spec of waiting) processes.start(spec);
}

async function requireFreePorts(plan: NetworkPlan, waiting: readonly ProcessSpec[]): Promise<void> {
  const ports = new Map<string, number[]>();
  for (const { name, port, adminPort } of plan.orderers) ports.set(name, [port, adminPort]);
  for (const { name, port, chaincodePort } of plan.organisations) {
    ports.set(`peer-${name}`, [port]);
    ports.set(`chaincode-${name}`, [chaincodePort]);
  }
  for (const { name } of waiting) {
    for (const port of ports.get(name) ?? []) {
      if (await isFree(port)) continue;
      throw new Fault('PORT_IN_USE', `port ${port} of ${name} is taken by another process`, {
        hint: 'The ports of a network are part of its certificates and blocks: free this one, or make a new network with --dir.',
      });
    }
  }
}

/** Genesis block, orderers, peers, and the chaincode's definition agreed by all, for channels that do not exist yet. */
async function openChannels(
  lifecycle: Lifecycle,
  { orderers, organisations }: NetworkPlan,
  channels: readonly string[],
  installed: Promise<unknown> = Promise.resolve(),
  say: (line: string) => void = () => undefined,
): Promise<void> {
  const pairs = channels.flatMap((channel) => organisations.map((organisation) => ({ channel, organisation })));
  await Promise.all(channels.map((channel) => lifecycle.makeGenesis(channel)));
  const joining = channels.flatMap((channel) => orderers.map((orderer) => ({ channel, orderer })));
  await Promise.all(joining.map(({ channel, orderer }) => lifecycle.joinOrderer(orderer, channel)));
  await Promise.all(pairs.map(({ channel, organisation }) => lifecycle.joinPeer(organisation, channel)));
  say(`${channels.length === 1 ? 'channel' : 'channels'} ${channels.join(', ')}: all members have joined`);
  await installed;
  await Promise.all(pairs.map(({ channel, organisation }) => lifecycle.approve(organisation, channel)));
  await Promise.all(channels.map((channel) => lifecycle.commit(channel)));
  say('chaincode installed, approved by every member, committed');
}

/** Waits until a submit succeeds through every gateway on every channel. */
async function ready(
  description: NetworkDescription,
  processes: Processes,
  seconds: number,
  signal?: AbortSignal,
): Promise<void> {
  const stop = stopWhenGone(processes, signal);
  const probes = description.channels.flatMap(({ name }) =>
    description.organisations.map((organisation) =>
      untilDone(`a submit by ${organisation.name} on ${name}`, { seconds, pauseMs: 200, stop }, () =>
        probeSubmit(description, organisation, name),
      ),
    ),
  );
  await Promise.all(probes);
}

const stopWhenGone = (processes: Processes, signal?: AbortSignal) => (): void => {
  signal?.throwIfAborted();
  for (const { name } of processes.records) processes.requireRunning(name);
};

function requirePlan(folder: NetworkFolder): NetworkPlan {
  const plan = readPlan(folder);
  if (plan !== undefined) return plan;
  throw new Misuse('BAD_CONFIG', `no network is in ${folder.path}`, { hint: 'Make one: healthchain fabric up.' });
}

/** A network keeps the shape it was made with. */
function requireSameShape(plan: NetworkPlan, asked: Partial<NetworkShape>): void {
  const has: NetworkShape = {
    hospitals: plan.organisations.filter(({ kind }) => kind === 'hospital').length,
    orderers: plan.orderers.length,
    consensus: plan.consensus,
    channels: plan.channels,
  };
  for (const name of ['hospitals', 'orderers', 'consensus', 'channels'] as const) {
    if (asked[name] === undefined || String(asked[name]) === String(has[name])) continue;
    throw new Misuse('BAD_CONFIG', `the network in this folder has ${name} ${String(has[name])}`, {
      hint: 'Make another with --dir, or remove this one: healthchain fabric down --remove.',
    });
  }
}
