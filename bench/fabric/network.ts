import { join } from 'node:path';
import { canonicalText } from '../../protocol/canonical.ts';
import { Identity } from '../../protocol/identity.ts';
import { Misuse } from '../../protocol/errors.ts';
import type { ActionOf, SignedAction } from '../../protocol/ledger.ts';
import { FabricLedger } from '../../ledger/fabric/ledger.ts';
import {
  downNetwork,
  findPrograms,
  openContract,
  upNetwork,
  type NetworkDescription,
} from '../../ledger/fabric/network/index.ts';
import { found, signAction } from '../../ledger/sign.ts';
import type { Member } from '../../ledger/ledger.ts';
import { holding, withFolder } from '../leaving.ts';
import type { Tools } from '../measurement.ts';

/** A channel with a founded consortium, and its one admin at the gateway of the research office. */
export interface RunningChannel {
  /** As a member uses it: signed, endorsed, ordered, and seen valid in a verified block. */
  readonly ledger: FabricLedger;
  readonly admin: Member;
  /** The chaincode's `apply` at the gateway alone, resolved when the gateway's peer has committed it. */
  submit(signed: SignedAction): Promise<unknown>;
  /** The chaincode's `read` at the gateway's peer. */
  read(organisation: string): Promise<unknown>;
}

/** Runs with a network of its own, four organisations and one orderer; says in one line why not where Fabric is absent. */
export async function withChannel(
  { console }: Tools,
  name: string,
  run: (channel: RunningChannel) => Promise<void>,
): Promise<void> {
  try {
    await findPrograms();
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    console.say(`${name}: skipped, ${error.message}`);
    return;
  }
  await withFolder(async (parent) => {
    const folder = join(parent, 'network');
    console.progress(`${name}: starting a network`);
    const starting = upNetwork({ folder, channels: ['consortium'] });
    await holding(
      async () => {
        await starting.catch(() => undefined);
        await downNetwork(folder, { remove: true });
      },
      async () => {
        const { channel, close } = await openChannel(await starting);
        await run(channel).finally(close);
      },
    );
  });
}

async function openChannel(
  network: NetworkDescription,
): Promise<{ channel: RunningChannel; close: () => Promise<void> }> {
  const office = network.organisations.find(({ kind }) => kind === 'office')!;
  const { endpoint, tlsRoot, serverName } = office.gateway;
  const { certificate, privateKey } = office.identities.user;
  const admin: Member = { organisation: 'board', identity: Identity.generate() };
  const { publicKey } = admin.identity;
  const board = { id: 'board', name: 'board', roles: ['admin' as const], publicKey, msp: office.mspId };
  const channel = network.channels[0]!;
  const ledger = await FabricLedger.connect({
    address: {
      channel: channel.name,
      chaincode: network.chaincode,
      mspId: office.mspId,
      identity: { certFile: certificate, keyFile: privateKey },
      gateways: [{ endpoint, tlsRootFile: tlsRoot, serverName }],
      genesis: channel.genesis,
    },
    founding: found({ name: 'bench', organisations: [board], founder: admin }),
    deadlineMs: 120_000,
  });
  const { contract, close } = openContract(network, office, channel.name);
  const running: RunningChannel = {
    ledger,
    admin,
    submit: (signed) => contract.submit('apply', { arguments: [canonicalText(signed)] }),
    read: (organisation) => contract.evaluate('read', { arguments: ['organisation', organisation] }),
  };
  return {
    channel: running,
    close: async () => {
      close();
      await ledger.close();
    },
  };
}

let registered = 0;
/** An action that conflicts with no other: the registration of one more hospital. */
export const registration = (): ActionOf<'registerOrganisation'> => ({
  type: 'registerOrganisation',
  organisation: {
    id: `hospital-${++registered}`,
    name: `hospital ${registered}`,
    roles: ['hospital'],
    publicKey: Identity.generate().publicKey,
    msp: 'NorthMSP',
  },
});

export const signedRegistration = ({ ledger, admin }: RunningChannel): SignedAction =>
  signAction(admin, ledger.consortium, registration());
