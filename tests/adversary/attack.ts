import { expect } from 'vitest';
import type { SessionSetting } from '../../mpc/session/handshake.ts';
import type { Channel } from '../../mpc/session/channel.ts';
import type { AgreedInput } from '../../mpc/sum/party.ts';
import { World, type Passing, type RelayHook } from '../../mpc/testing/world.ts';
import { Abort, HealthchainError, type AbortCode } from '../../protocol/errors.ts';
import type { Transcript } from '../../protocol/session.ts';

/** The roster of every three-party test: the cheat, where a party cheats, is `mallory`. */
export const [anna, bert, mallory] = ['hospital-000', 'hospital-001', 'hospital-002'] as const;

/** Frames of one direction, in their order: the places that a hook sees. */
export const HELLO = 0;
export const AGREE = 1;
export const CONFIRM = 2;

export type Outcome = PromiseSettledResult<AgreedInput>;

/** Where a party departs from the protocol; what is left out is honest. */
export interface Deviation {
  readonly setting?: (party: string, honest: SessionSetting) => SessionSetting;
  readonly channel?: (party: string, honest: Channel) => Channel | Promise<Channel>;
  readonly transcript?: (party: string, honest: Transcript) => Transcript;
  readonly commitments?: (honest: readonly Uint8Array[]) => readonly Uint8Array[];
}

/** A world of three hospitals whose deadline passes as soon as nothing moves. */
export const threeHospitals = (hook?: RelayHook): World =>
  new World({ parties: 3, deadline: 'idle', ...(hook === undefined ? {} : { hook }) });

/** Every party runs one step up to the point where its share could leave. */
export async function runStep(
  world: World,
  deviation: Deviation = {},
  step = 0,
): Promise<ReadonlyMap<string, Outcome>> {
  const inputs = world.commit(world.roster.map((_, i) => [BigInt(i), 10n * BigInt(i)]));
  const honest = inputs.map(({ commitment }) => commitment);
  const commitments = deviation.commitments?.(honest) ?? honest;
  const outcomes = await Promise.allSettled(
    world.roster.map(async (party, i) => {
      const setting = world.setting(party);
      const opened = await world.channel(party, deviation.setting?.(party, setting) ?? setting);
      const channel = (await deviation.channel?.(party, opened)) ?? opened;
      const transcript = world.transcript(channel, commitments, 2, step);
      return inputs[i]!.agree(channel, deviation.transcript?.(party, transcript) ?? transcript);
    }),
  );
  return new Map(world.roster.map((party, i) => [party, outcomes[i]!]));
}

export function errorOf(outcomes: ReadonlyMap<string, Outcome>, party: string): HealthchainError {
  const outcome = outcomes.get(party)!;
  if (outcome.status === 'fulfilled') throw new Error(`${party} went on as if nothing had happened`);
  expect(outcome.reason).toBeInstanceOf(HealthchainError);
  return outcome.reason as HealthchainError;
}

/** `party` ended in this error, which names `names`. */
export function expectError(
  outcomes: ReadonlyMap<string, Outcome>,
  party: string,
  kind: HealthchainError['kind'],
  code: string,
  names: string,
): void {
  const { kind: seenKind, code: seenCode, party: seenParty } = errorOf(outcomes, party);
  expect({ kind: seenKind, code: seenCode, party: seenParty }).toEqual({ kind, code, party: names });
}

/** None of these parties holds an agreed input, the only thing a share can be made of. */
export function expectNoShares(outcomes: ReadonlyMap<string, Outcome>, ...honest: readonly string[]): void {
  for (const party of honest) errorOf(outcomes, party);
}

/** The error of a call that must be refused. */
export function refusedBy(call: () => unknown): HealthchainError {
  let result: unknown;
  try {
    result = call();
  } catch (error) {
    expect(error).toBeInstanceOf(HealthchainError);
    return error as HealthchainError;
  }
  throw new Error(`not refused: ${typeof result}`);
}

export function expectAbort(call: () => unknown, code: AbortCode, party: string | undefined): Abort {
  const error = refusedBy(call);
  if (!(error instanceof Abort)) throw new Error(`not an abort: ${error.code}`);
  expect({ code: error.code, party: error.party }).toEqual({ code, party });
  return error;
}

/** A hook that touches one frame alone. */
export const onFrame =
  (from: string, to: string, place: number, deliver: (passing: Passing) => readonly Uint8Array[]): RelayHook =>
  (passing) =>
    passing.from === from && passing.to === to && passing.place === place ? deliver(passing) : [passing.frame];

export const flipBit = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = Uint8Array.from(bytes);
  if (bit >> 3 >= bytes.length) throw new RangeError('no such bit');
  flipped[bit >> 3]! ^= 1 << (bit & 7);
  return flipped;
};
