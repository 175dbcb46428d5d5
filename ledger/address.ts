import { z } from 'zod';
import { chaincodeName, channelName, digest, mspId, publicKey } from '../protocol/names.ts';

/** The embedded ledger of one operator, with its pins. */
export const operatorAddress = z.strictObject({
  url: z.url(),
  consortium: digest.optional(),
  operatorKey: publicKey.optional(),
});
export type OperatorAddress = z.infer<typeof operatorAddress>;

/** host:port of a peer, as Fabric writes addresses. */
const endpoint = z
  .string()
  .max(300)
  .regex(/^(\[[0-9a-fA-F:]+\]|[^:\s/]+):[0-9]{1,5}$/, 'host:port of a peer, as peer0.north.example:7051');

/** The MSP identity that signs this member's transactions: two PEM files, or one identity of a wallet folder. */
const channelIdentity = z.union([
  z.strictObject({ certFile: z.string().min(1), keyFile: z.string().min(1) }),
  z.strictObject({ walletFolder: z.string().min(1), label: z.string().min(1).max(200) }),
]);

/** A channel of Hyperledger Fabric, with its pins. */
export const fabricAddress = z.strictObject({
  fabric: z.strictObject({
    channel: channelName,
    chaincode: chaincodeName.default('healthchain'),
    mspId,
    identity: channelIdentity,
    /** Peers that run a gateway; the first that answers is used, the others stand in for it. */
    gateways: z
      .array(
        z.strictObject({
          endpoint,
          /** PEM file of the authority that signed the peer's TLS certificate. */
          tlsRootFile: z.string().min(1),
          /** Name in the peer's TLS certificate, where it is not that of the endpoint. */
          serverName: z.string().min(1).max(253).optional(),
        }),
      )
      .min(1)
      .max(100),
    consortium: digest.optional(),
    /** Hash of the header of the channel's genesis block, as `healthchain doctor` shows it. */
    genesis: digest.optional(),
  }),
});
export type FabricAddress = z.infer<typeof fabricAddress>['fabric'];

/**
 * Where the ledger is and which one it must be: part of every role's configuration file. With its pins (consortium and
 * operator key, or genesis block) another ledger is refused at the first contact too; without them the first contact is
 * trusted and then remembered.
 */
export const ledgerAddress = z.union([operatorAddress, fabricAddress]);
export type LedgerAddress = z.infer<typeof ledgerAddress>;

/** The same address with every file path in it resolved. */
export function resolveAddress(address: LedgerAddress, at: (path: string) => string): LedgerAddress {
  if (!('fabric' in address)) return address;
  const { fabric } = address;
  const { identity } = fabric;
  return {
    fabric: {
      ...fabric,
      identity:
        'label' in identity
          ? { ...identity, walletFolder: at(identity.walletFolder) }
          : { certFile: at(identity.certFile), keyFile: at(identity.keyFile) },
      gateways: fabric.gateways.map((gateway) => ({ ...gateway, tlsRootFile: at(gateway.tlsRootFile) })),
    },
  };
}
