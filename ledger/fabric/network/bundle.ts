import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../../protocol/errors.ts';

/** The chaincode's one file: a published package carries it, a checkout makes it from its sources. */
export async function chaincodeFile(folder: string): Promise<string> {
  if (import.meta.filename.endsWith('.ts')) {
    const { bundleChaincode } = await import('../../chaincode/bundle.ts');
    return bundleChaincode(join(folder, 'chaincode'));
  }
  const file = join(import.meta.dirname, '../../../chaincode/healthchain-chaincode.js');
  if (!existsSync(file)) {
    throw new Fault('DISK', `the chaincode is missing: ${file}`, { hint: 'Install the healthchain package again.' });
  }
  return file;
}
