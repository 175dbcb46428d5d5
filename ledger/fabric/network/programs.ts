import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { Misuse } from '../../../protocol/errors.ts';
import { runProgram } from './run.ts';

/** Fabric's programs that a network is made with. */
const NAMES = ['peer', 'orderer', 'configtxgen', 'cryptogen', 'osnadmin'] as const;
export type ProgramName = (typeof NAMES)[number];

/** Where each program is, and which release they are of. */
export interface Programs {
  readonly version: string;
  readonly path: Readonly<Record<ProgramName, string>>;
}

const INSTALL =
  'Install the binaries of Fabric 3.1 as https://hyperledger-fabric.readthedocs.io/en/latest/install.html says, ' +
  'then put their folder on the PATH or into FABRIC_BIN.';

/**
 * Finds Fabric's programs in the folder FABRIC_BIN, or on the PATH when it is not set, and asks for their version.
 * Errors: `Misuse BAD_CONFIG` that says what is missing or which version was found, and where to get the right one.
 */
export async function findPrograms(environment: NodeJS.ProcessEnv = process.env): Promise<Programs> {
  const folder = environment.FABRIC_BIN;
  const folders = folder !== undefined && folder !== '' ? [folder] : (environment.PATH ?? '').split(delimiter);
  const found = NAMES.map((name) => [name, folders.map((each) => join(each, name)).find(isProgram)] as const);
  const missing = found.filter(([, path]) => path === undefined).map(([name]) => name);
  if (missing.length > 0) {
    const where = folder !== undefined && folder !== '' ? `in FABRIC_BIN (${folder})` : 'on the PATH';
    throw new Misuse('BAD_CONFIG', `Hyperledger Fabric: ${missing.join(', ')} not found ${where}`, { hint: INSTALL });
  }
  const path = Object.fromEntries(found) as Record<ProgramName, string>;
  const [version, other] = await Promise.all([path.peer, path.orderer].map(versionOf));
  if (version !== other) {
    throw new Misuse('BAD_CONFIG', `Hyperledger Fabric: peer is ${version}, orderer is ${other}`, { hint: INSTALL });
  }
  if (!/^3\.[1-9]/.test(version!)) {
    throw new Misuse('BAD_CONFIG', `Hyperledger Fabric ${version} was found, 3.1 is needed`, { hint: INSTALL });
  }
  return { version: version!, path };
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function versionOf(program: string): Promise<string> {
  const text = await runProgram(program, ['version']);
  return /Version: v?(\S+)/.exec(text)?.[1] ?? 'of an unknown version';
}
