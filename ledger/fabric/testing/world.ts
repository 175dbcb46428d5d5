import type { Action, Organisation, SignedAction } from '../../../protocol/ledger.ts';
import { found, signAction } from '../../sign.ts';
import { makeWorld, type MemberName, type World } from '../../testing/world.ts';

/** Which organisation of the network each member of the test world belongs to. */
export const ORGANISATION: Readonly<Record<MemberName, string>> = {
  board: 'office',
  senate: 'office',
  north: 'north',
  south: 'south',
  east: 'north',
  west: 'south',
  rita: 'office',
  rob: 'office',
  audit: 'authority',
  relay: 'office',
};

/** The MSP of an organisation of the network. */
export const mspOf = (organisation: string): string => `${organisation[0]!.toUpperCase()}${organisation.slice(1)}MSP`;

/** The test world with every member's MSP named, as a channel requires it. */
export function channelWorld(): World {
  const { members, organisations: plain } = makeWorld();
  const organisations = plain.map((each): Organisation => ({
    ...each,
    msp: mspOf(ORGANISATION[each.id as MemberName]),
  }));
  return {
    members,
    organisations,
    founding: found({ name: 'Test consortium', organisations, founder: members.board }),
  };
}

export const signAs = (world: World, consortium: string, who: MemberName, action: Action): SignedAction =>
  signAction(world.members[who], consortium, action);
