import { Identity } from '../../protocol/identity.ts';
import type { Entry, OperatorExport, SignedAction } from '../../protocol/ledger.ts';
import { Chain } from '../chain.ts';
import { signHead } from '../heads.ts';
import { signAction } from '../sign.ts';
import { actions, makeWorld, type World } from './world.ts';

const TIME = '2026-01-01T00:00:00.000Z';

/** A ledger as one document, of as many entries as asked for, and what it takes to make it again otherwise. */
export async function makeExport(
  size: number,
): Promise<{ world: World; operator: Identity; document: OperatorExport }> {
  const world = makeWorld();
  const operator = Identity.generate();
  const chain = new Chain();
  const founding = chain.stage();
  await founding.propose(world.founding, TIME);
  await founding.commit();
  const stage = chain.stage();
  for (let index = 1; index < size; index++) {
    const action = index === 1 ? actions.schema() : actions.register(`member-${index}`);
    await stage.propose(signAction(world.members.board, chain.consortium!, action), TIME);
  }
  await stage.commit();
  return { world, operator, document: exportOf(chain, operator) };
}

export function exportOf(chain: Chain, operator: Identity): OperatorExport {
  const { size } = chain;
  const head = signHead(operator, { consortium: chain.consortium!, size, root: chain.tree.rootAt(size) });
  return { format: 'healthchain-ledger/1', head, entries: [...chain.entries] };
}

/** Links actions into entries without asking the contract, as a dishonest operator can. */
export function linkUnchecked(signed: readonly SignedAction[], hash: (entry: Entry) => string): Entry[] {
  const entries: Entry[] = [];
  let previous = '0'.repeat(64);
  for (const each of signed) {
    const entry: Entry = { index: entries.length, previous, time: TIME, signed: each };
    entries.push(entry);
    previous = hash(entry);
  }
  return entries;
}
