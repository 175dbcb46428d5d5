import { describe, expect, test, vi } from 'vitest';
import { BooleanSession } from '../../mpc/boolean/engine.ts';
import { CircuitBuilder } from '../../mpc/boolean/builder.ts';
import { computingCost } from '../../mpc/boolean/cost.ts';
import type { Committee } from '../../mpc/committee/committee.ts';
import { sitInCommittee } from '../../mpc/testing/committee.ts';
import { corrupt, World } from '../../mpc/testing/world.ts';
import type { HealthchainError } from '../../protocol/errors.ts';
import { flipBit } from './attack.ts';

/** Five hospitals, three of which compute; each enters a bit in 128 lanes, and whether all are set opens. */
const SIZE = 3;
const roundOf = (what: string): string => `computation/0/${what}`;

function conjunction() {
  const builder = new CircuitBuilder();
  const bits = Array.from({ length: 5 }, (_, hospital) => builder.input(hospital, 128));
  return builder.build([bits.reduce((all, bit) => builder.and(all, bit) as number)]);
}

interface Roles {
  /** The cheat, and the hospitals of the committee that do not cheat. */
  readonly cheat: string;
  readonly members: readonly string[];
  readonly clients: readonly string[];
}

interface Cheat {
  readonly by: (committee: Committee) => string;
  /** What the cheat sends instead. */
  readonly twist?: (roles: Roles, to: string, round: string, message: Uint8Array) => Uint8Array;
  /** What the cheat evaluates in place of what it was sent. */
  readonly enter?: (own: readonly Uint8Array[]) => readonly Uint8Array[];
}

const member = ({ members }: Committee): string => members[1]!;
const client = ({ clients }: Committee): string => clients[0]!;

/** How every hospital ended, and in which rounds it sent something. */
async function run(cheat?: Cheat) {
  const circuit = conjunction();
  const world = new World({ parties: 5, seed: 'committee', deadline: 'idle' });
  const sent: string[] = [];
  let roles: Roles | undefined;
  const { committee, evaluators } = await sitInCommittee(world, SIZE, computingCost(circuit, world.roster, 0), {
    channel: (channel, committee) =>
      corrupt(channel, (to, round, message) => {
        const by = cheat?.by(committee);
        roles ??= {
          cheat: by ?? '',
          members: committee.members.filter((party) => party !== by),
          clients: committee.clients,
        };
        if (channel.self !== by) sent.push(round);
        return channel.self === by && cheat?.twist !== undefined ? cheat.twist(roles, to, round, message) : message;
      }),
  });
  if (cheat?.enter !== undefined) enterOtherwise(cheat.by(committee), cheat.enter);
  const input = new Uint8Array(16).fill(0b01010111);
  const outcomes = await Promise.allSettled(evaluators.map((evaluator) => evaluator.compute(circuit, [input])));
  vi.restoreAllMocks();
  const errorOf = (party: string): Partial<HealthchainError> => {
    const outcome = outcomes[world.roster.indexOf(party)]!;
    if (outcome.status === 'fulfilled') throw new Error(`${party} went on as if nothing had happened`);
    return outcome.reason as HealthchainError;
  };
  const by = cheat?.by(committee);
  return {
    outcomes,
    errorOf,
    sent,
    cheat: by!,
    members: committee.members.filter((party) => party !== by),
    clients: committee.clients.filter((party) => party !== by),
  };
}

function enterOtherwise(party: string, change: NonNullable<Cheat['enter']>): void {
  // eslint-disable-next-line @typescript-eslint/unbound-method -- called with `this` below
  const honest = BooleanSession.prototype.evaluate;
  vi.spyOn(BooleanSession.prototype, 'evaluate').mockImplementation(function (
    this: BooleanSession,
    circuit,
    own,
    ...rest
  ) {
    return honest.call(this, circuit, this.self === party ? change(own) : own, ...rest);
  });
}

test('honest hospitals in and outside the committee open the conjunction', async () => {
  const { outcomes } = await run();
  const expected = [new Uint8Array(16).fill(0b01010111)];
  for (const outcome of outcomes) expect(outcome).toEqual({ status: 'fulfilled', value: expected });
});

describe('a member that enters something else for a client is named by that client before anything opens', () => {
  // Its own bits come first, then the shares of the two clients: 16 bytes, and 16 of pad.
  test.each([
    ['a flipped bit', 1, 5],
    ['the last bit flipped', 1, 127],
    ['a flipped bit of the pad', 1, 128],
    ['a flipped bit of the other client', 2, 64],
  ])('%s', async (_, wire, bit) => {
    const enter = (own: readonly Uint8Array[]): Uint8Array[] => own.with(wire, flipBit(own[wire]!, bit));
    const { errorOf, cheat, members, clients, sent } = await run({ by: member, enter });
    const deceived = clients[wire - 1]!;
    expect(errorOf(deceived)).toMatchObject({ kind: 'Abort', code: 'INPUT_FORGED', party: cheat });
    for (const party of members) {
      expect(errorOf(party)).toMatchObject({ kind: 'Abort', code: 'INPUT_FORGED', party: undefined });
      expect(errorOf(party).message).toContain(`${deceived} says that ${cheat} entered`);
    }
    expect(sent).not.toContain(roundOf('opened'));
  });
});

describe('a member that tells a client something else than the others do', () => {
  test.each([
    ['the key of the fingerprints', 'entered', 0],
    ['a fingerprint of its own entry', 'entered', 8 * 32],
    ['the opened bits', 'opened', 3],
  ])('%s', async (_, what, bit) => {
    const { errorOf, clients } = await run({
      by: member,
      twist: ({ clients }, to, round, message) =>
        to === clients[0] && round === roundOf(what) ? flipBit(message, bit) : message,
    });
    expect(errorOf(clients[0]!)).toMatchObject({ kind: 'Abort', code: 'EQUIVOCATION' });
  });

  test('in a message of another length is named', async () => {
    const { errorOf, clients, cheat } = await run({
      by: member,
      twist: ({ clients }, to, _, message) => (clients.includes(to) ? message.subarray(1) : message),
    });
    for (const party of clients)
      expect(errorOf(party)).toMatchObject({ kind: 'Abort', code: 'FORGED_FRAME', party: cheat });
  });
});

describe('a client', () => {
  test('whose share for one member is too short is named by that member', async () => {
    const { errorOf, members, cheat, sent } = await run({
      by: client,
      twist: ({ members }, to, round, message) =>
        to === members[0] && round === roundOf('share') ? message.subarray(1) : message,
    });
    expect(errorOf(members[0]!)).toMatchObject({ kind: 'Abort', code: 'FORGED_FRAME', party: cheat });
    expect(sent).not.toContain(roundOf('opened'));
  });

  test('that accuses an honest member stops the session; that member knows who lies', async () => {
    const { errorOf, members, cheat, sent } = await run({
      by: client,
      twist: (_, __, round, message) => (round === roundOf('answer') ? Uint8Array.of(1) : message),
    });
    for (const [place, party] of members.entries()) {
      expect(errorOf(party)).toMatchObject({
        kind: 'Abort',
        code: 'INPUT_FORGED',
        party: place === 0 ? cheat : undefined,
      });
    }
    expect(sent).not.toContain(roundOf('opened'));
  });

  test('that accuses nobody there is, is named', async () => {
    const { errorOf, members, cheat } = await run({
      by: client,
      twist: (_, __, round, message) => (round === roundOf('answer') ? Uint8Array.of(9) : message),
    });
    for (const party of members) expect(errorOf(party)).toMatchObject({ code: 'INPUT_FORGED', party: cheat });
  });

  test('that accuses a member to one alone keeps everybody from opening', async () => {
    const { members, errorOf, sent } = await run({
      by: client,
      twist: ({ members }, to, round, message) =>
        to === members[2] && round === roundOf('answer') ? Uint8Array.of(1) : message,
    });
    expect(errorOf(members[2]!)).toMatchObject({ code: 'INPUT_FORGED' });
    for (const party of members.slice(0, 2)) expect(errorOf(party)).toMatchObject({ kind: 'Fault', code: 'DEADLINE' });
    expect(sent).not.toContain(roundOf('opened'));
  });
});
