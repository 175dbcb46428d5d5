import { z } from 'zod';
import { channelName, mspId, organisationId } from '../../../protocol/names.ts';
import { hexOf } from '../../../protocol/bytes.ts';
import { organisationKind } from './plan.ts';

const identityFiles = z.strictObject({ certificate: z.string(), privateKey: z.string() });

/** What a client of a network needs to know: written by `healthchain fabric up` to network.json, paths absolute. */
export const networkDescription = z.strictObject({
  format: z.literal('healthchain-fabric-network/1'),
  fabricVersion: z.string(),
  chaincode: z.string(),
  channels: z.array(
    z.strictObject({
      name: channelName,
      /** SHA-256 of the header of the channel's first block: whoever knows it cannot be shown another channel. */
      genesis: hexOf(32),
    }),
  ),
  organisations: z.array(
    z.strictObject({
      name: organisationId,
      mspId,
      kind: organisationKind,
      gateway: z.strictObject({ endpoint: z.string(), tlsRoot: z.string(), serverName: z.string() }),
      identities: z.strictObject({ admin: identityFiles, user: identityFiles }),
    }),
  ),
  orderers: z.array(
    z.strictObject({ name: z.string(), endpoint: z.string(), tlsRoot: z.string(), serverName: z.string() }),
  ),
  processes: z.array(z.strictObject({ name: z.string(), pid: z.int(), log: z.string() })),
});
export type NetworkDescription = z.infer<typeof networkDescription>;
export type DescribedOrganisation = NetworkDescription['organisations'][number];
