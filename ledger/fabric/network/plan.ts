import { createServer } from 'node:net';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault, Misuse } from '../../../protocol/errors.ts';
import { channelName, mspId, organisationId } from '../../../protocol/names.ts';

export const organisationKind = z.enum(['hospital', 'office', 'authority']);
export type OrganisationKind = z.infer<typeof organisationKind>;

const portNumber = z.int().min(1).max(65_535);

const plannedOrganisation = z.strictObject({
  name: organisationId,
  mspId,
  kind: organisationKind,
  domain: z.string(),
  port: portNumber,
  /** Where its chaincode listens. */
  chaincodePort: portNumber,
});
export type PlannedOrganisation = z.infer<typeof plannedOrganisation>;

const plannedOrderer = z.strictObject({ name: z.string(), port: portNumber, adminPort: portNumber });
export type PlannedOrderer = z.infer<typeof plannedOrderer>;

/** What a network on one machine is made of. Kept in its folder, since ports and names are part of its genesis blocks. */
export const networkPlan = z.strictObject({
  format: z.literal('healthchain-fabric-plan/1'),
  consensus: z.enum(['raft', 'bft']),
  channels: z.array(channelName).min(1),
  organisations: z.array(plannedOrganisation).min(4),
  orderers: z.array(plannedOrderer).min(1),
});
export type NetworkPlan = z.infer<typeof networkPlan>;

export interface NetworkShape {
  readonly hospitals: number;
  readonly orderers: number;
  readonly consensus: 'raft' | 'bft';
  readonly channels: readonly string[];
}

export const CHAINCODE = 'healthchain';
export const ORDERER_MSP = 'OrdererMSP';
export const ORDERER_DOMAIN = 'orderer.example.com';
export const PLAN_FILE = 'plan.json';

/** Completes what was asked for. Errors: `Misuse BAD_CONFIG` for a network that cannot be. */
export function networkShape(asked: Partial<NetworkShape>): NetworkShape {
  const { hospitals = 2, consensus = 'raft', channels = ['consortium', 'public'] } = asked;
  const orderers = asked.orderers ?? (consensus === 'bft' ? 4 : 1);
  const wrong = (message: string): Misuse => new Misuse('BAD_CONFIG', message);
  if (!Number.isInteger(hospitals) || hospitals < 2 || hospitals > 50) throw wrong('a network has 2 to 50 hospitals');
  if (!Number.isInteger(orderers) || orderers < 1 || orderers > 20) throw wrong('a network has 1 to 20 orderers');
  if (consensus === 'bft' && orderers < 4) {
    throw wrong('Byzantine fault tolerance needs at least 4 orderers: one of 4 may lie');
  }
  if (channels.length === 0 || new Set(channels).size !== channels.length) throw wrong('name each channel once');
  const bad = channels.find((channel) => !channelName.safeParse(channel).success);
  if (bad !== undefined) throw wrong(`${bad} is no channel name: lower-case letters, digits, . and -`);
  return { hospitals, orderers, consensus, channels };
}

const HOSPITALS = ['north', 'south', 'east', 'west'];

/** Names the parts of a network and finds free ports for them. */
export async function planNetwork(shape: NetworkShape): Promise<NetworkPlan> {
  const { hospitals, orderers, consensus } = shape;
  const members: [string, OrganisationKind][] = [
    ...Array.from({ length: hospitals }, (_, i): [string, OrganisationKind] => [
      HOSPITALS[i] ?? `hospital-${i + 1}`,
      'hospital',
    ]),
    ['office', 'office'],
    ['authority', 'authority'],
  ];
  const ports = await freePorts(2 * (members.length + orderers));
  const take = (): number => ports.pop()!;
  return {
    format: 'healthchain-fabric-plan/1',
    consensus,
    channels: [...shape.channels],
    organisations: members.map(([name, kind]) => ({
      name,
      kind,
      mspId: `${name[0]!.toUpperCase()}${name.slice(1)}MSP`,
      domain: `${name}.example.com`,
      port: take(),
      chaincodePort: take(),
    })),
    orderers: Array.from({ length: orderers }, (_, i) => ({
      name: `orderer${i + 1}`,
      port: take(),
      adminPort: take(),
    })),
  };
}

/**
 * Free ports below the range that systems give to outgoing connections, so that they are still free when the network
 * starts again.
 */
async function freePorts(count: number): Promise<number[]> {
  const [lowest, highest] = [20_000, 32_000];
  const ports = new Set<number>();
  for (let tries = 0; ports.size < count; tries++) {
    if (tries > 100 * count) throw new Fault('PORT_IN_USE', `no ${count} free ports from ${lowest} to ${highest}`);
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (!ports.has(port) && (await isFree(port))) ports.add(port);
  }
  return [...ports];
}

export function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
  });
}

/** Where the parts of a network keep their files. */
export const paths = (folder: string) => {
  const crypto = join(folder, 'crypto');
  const peerOrganisation = (domain: string): string => join(crypto, 'peerOrganizations', domain);
  const ordererOrganisation = join(crypto, 'ordererOrganizations', ORDERER_DOMAIN);
  return {
    plan: join(folder, PLAN_FILE),
    description: join(folder, 'network.json'),
    processes: join(folder, 'processes.json'),
    crypto,
    builder: join(folder, 'builder'),
    channelConfiguration: join(folder, 'channels'),
    genesis: (channel: string) => join(folder, 'channels', `${channel}.block`),
    logs: join(folder, 'logs'),
    log: (name: string) => join(folder, 'logs', `${name}.log`),
    home: (name: string) => join(folder, name),
    package: (organisation: string) => join(folder, organisation, 'chaincode.tar.gz'),
    organisationMsp: (domain: string) => join(peerOrganisation(domain), 'msp'),
    node: (domain: string, host: string) => join(peerOrganisation(domain), 'peers', `${host}.${domain}`),
    user: (domain: string, user: string) => join(peerOrganisation(domain), 'users', `${user}@${domain}`),
    ordererMsp: join(ordererOrganisation, 'msp'),
    orderer: (name: string) => join(ordererOrganisation, 'orderers', `${name}.${ORDERER_DOMAIN}`),
    ordererAdmin: join(ordererOrganisation, 'users', `Admin@${ORDERER_DOMAIN}`),
  };
};
export type Paths = ReturnType<typeof paths>;
