import { expect, test } from 'vitest';
import type { Ledger } from '../../ledger/ledger.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import { ShareOpener } from '../../mpc/sum/share-opener.ts';
import { sealShare } from '../../mpc/sum/share-sealer.ts';
import { seededRandom, World } from '../../mpc/testing/world.ts';
import { toHex } from '../../protocol/bytes.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import type { Action, SessionRecord } from '../../protocol/ledger.ts';
import { findCheat } from '../../researcher/blame.ts';
import type { CoordinatorClient } from '../../researcher/coordinator.ts';
import type { ShareRequest } from '../../researcher/shares.ts';

const answerKey = ExchangeKey.fromSecret(seededRandom('answer')(32));

test('a hospital that signs one share for the sum and another for the search is named by its two signatures', async () => {
  const world = new World({ parties: 3 });
  const { agreed, commitments } = await world.agree([[1n], [2n], [3n]]);
  const [honest, , cheat] = world.roster as [string, string, string];
  const chunksOf = (party: string): Uint8Array[] => {
    const input = agreed[world.roster.indexOf(party)]!;
    return Array.from(
      sealShare(DecidedInput.everything(input), world.identities.get(party)!, answerKey.publicKey),
      (chunk) => Uint8Array.from(chunk),
    );
  };
  const received = world.roster.map((party) => {
    const activeKeys = [world.identities.get(party)!.publicKey];
    const opener = new ShareOpener(
      { session: world.session, step: 0, party, cells: 1, modulus: 'l', activeKeys },
      answerKey,
      new ShareSum(1),
    );
    for (const chunk of chunksOf(party)) opener.add(chunk);
    return opener.finish();
  });
  // What the cheat sent first had another digest than what it sends when it is asked again.
  const first = received.map((share) =>
    share.party === cheat
      ? (Object.assign(Object.create(Object.getPrototypeOf(share) as object), share, {
          digest: new Uint8Array(32).fill(7),
        }) as typeof share)
      : share,
  );
  const recorded: Action[] = [];
  const ledger = {
    submit: (_: unknown, action: Action) => Promise.resolve(recorded.push(action)),
  } as unknown as Ledger;
  const coordinator = {
    share: (_: unknown, __: unknown, party: string, take: (chunk: Uint8Array) => void) =>
      Promise.resolve().then(() => {
        chunksOf(party).forEach(take);
      }),
  } as unknown as CoordinatorClient;
  const request: ShareRequest = {
    session: world.session,
    step: 0,
    cells: 1,
    modulus: 'l',
    roster: world.roster,
    activeKeys: (party) => [world.identities.get(party)!.publicKey],
    answerKey,
    member: { organisation: 'researcher', identity: world.identities.get(honest)! },
    signal: AbortSignal.timeout(5000),
  };
  const session = {
    id: world.session,
    roster: world.roster,
    commitments: [Object.fromEntries(world.roster.map((party, i) => [party, toHex(commitments[i]!)]))],
  } as unknown as SessionRecord;

  const { error, evidence } = await findCheat(ledger, coordinator, request, session, first);
  expect(error).toMatchObject({ kind: 'Abort', code: 'VERIFICATION_FAILED', party: cheat });
  expect(evidence).toMatchObject({ blamed: cheat });
  expect(recorded.at(-1)).toMatchObject({ type: 'abortSession', blame: cheat, reason: 'VERIFICATION_FAILED' });
});
