/**
 * A process that appends to a ledger folder as fast as it can and says what was acknowledged, to be killed by a test.
 * Arguments: folder, file of the founding action, file of the admin's key, prefix of the names it registers.
 */
import { readFileSync, writeSync } from 'node:fs';
import { argv } from 'node:process';
import { decodeDocument } from '../../protocol/canonical.ts';
import { Identity } from '../../protocol/identity.ts';
import { signedAction } from '../../protocol/ledger.ts';
import { openEngine } from '../embedded/open.ts';
import { signAction } from '../sign.ts';
import { actions } from './world.ts';

const [, , folder = '', foundingFile = '', keyFile = '', prefix = ''] = argv;
const founding = decodeDocument(signedAction, readFileSync(foundingFile), { what: 'founding action' });
const board = { organisation: 'board', identity: Identity.fromPem(readFileSync(keyFile, 'utf8')) };
const engine = await openEngine({ folder, founding, clock: Date.now });

let count = 0;
async function appendForEver(): Promise<never> {
  for (;;) {
    const name = `${prefix}-${count++}`;
    const { index } = await engine.submit(signAction(board, engine.consortium, actions.register(name)));
    // Synchronously: what is written here was acknowledged before whatever kills this process.
    writeSync(1, `${index} ${name}\n`);
  }
}
writeSync(1, 'ready\n');
await Promise.all(Array.from({ length: 8 }, appendForEver));
