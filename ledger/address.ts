import { z } from 'zod';
import { digest, publicKey } from '../protocol/names.ts';

/**
 * Where the ledger is and which one it must be: part of every role's configuration file. With both pins another
 * ledger is refused at the first contact too; without them the first contact is trusted and then remembered.
 */
export const ledgerAddress = z.strictObject({
  url: z.url(),
  consortium: digest.optional(),
  operatorKey: publicKey.optional(),
});
export type LedgerAddress = z.infer<typeof ledgerAddress>;
