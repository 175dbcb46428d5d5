import { join } from 'node:path';
import { Misuse } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import { readIfPresent, replaceFile } from './disk.ts';

/**
 * The operator's key of a ledger folder: read, or made when the ledger is founded. Members pin it, so a ledger that
 * has entries but lost its key is not given a new one in silence. Errors: `Misuse BAD_CONFIG`, `BAD_KEY`; `Fault DISK`.
 */
export async function operatorKey(folder: string, options: { readonly founded: boolean }): Promise<Identity> {
  const path = join(folder, 'operator.pem');
  const pem = await readIfPresent(path);
  if (pem !== undefined) return Identity.fromPem(pem.toString('utf8'));
  if (options.founded) {
    throw new Misuse('BAD_CONFIG', `the ledger has entries but ${path} is missing`, {
      hint: "Restore the operator's key from its backup: members would take another key for a forged ledger.",
    });
  }
  const identity = Identity.generate();
  await replaceFile(path, identity.toPem(), { durable: true });
  return identity;
}
