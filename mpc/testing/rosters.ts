import { LEAVES, TREES } from '../preprocessing/puncturable.ts';
import { RosterSetup, type PairSeeds } from '../preprocessing/setup.ts';
import { seededRandom } from './world.ts';

/**
 * Setups of a roster as its base transfers would have made them, dealt by somebody who knows all keys: for tests of what comes
 * after, where public-key work would only take time. `keyShareOf` may choose Delta_i.
 */
export function dealSetups(
  roster: readonly string[],
  seed: string,
  keyShareOf?: (party: string) => Uint8Array | undefined,
): RosterSetup[] {
  const random = seededRandom(`${seed}/setups`);
  const id = random(32);
  const keyShares = roster.map((party, i) => {
    const share = random(16);
    share[0] = (share[0]! & 0xfe) | (i === 0 ? 1 : 0);
    share.set(keyShareOf?.(party) ?? share);
    return share;
  });
  const pairs = roster.map(() => new Map<string, PairSeeds>());
  roster.forEach((holder, h) =>
    roster.forEach((keeper, k) => {
      if (h === k) return;
      const leaves = Array.from({ length: LEAVES * TREES }, () => random(32));
      const known = Array.from({ length: TREES }, (_, tree) => {
        const missing = (keyShares[k]![tree >> 2]! >> (2 * (tree & 3))) & 3;
        return [1, 2, 3].map((y) => leaves[LEAVES * tree + (missing ^ y)]!);
      });
      pairs[h]!.set(keeper, { holder: leaves, keeper: pairs[h]!.get(keeper)?.keeper ?? [] });
      pairs[k]!.set(holder, { holder: pairs[k]!.get(holder)?.holder ?? [], keeper: known.flat() });
    }),
  );
  return roster.map((party, i) => new RosterSetup(id, roster, party, keyShares[i]!, pairs[i]!));
}
