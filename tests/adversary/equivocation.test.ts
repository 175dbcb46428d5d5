import { describe, expect, test } from 'vitest';
import { corrupt } from '../../mpc/testing/world.ts';
import type { World } from '../../mpc/testing/world.ts';
import { CellVector } from '../../mpc/cells.ts';
import { openChannel } from '../../mpc/session/handshake.ts';
import { CommittedInput, seedHash } from '../../mpc/sum/party.ts';
import type { Relay } from '../../mpc/transport.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { signHello, transcriptHash, type SignedHello, type Transcript } from '../../protocol/session.ts';
import {
  anna,
  bert,
  errorOf,
  expectError,
  expectNoShares,
  flipBit,
  HELLO,
  mallory,
  runStep,
  threeHospitals,
} from './attack.ts';

const secondHello = (world: World, key: Uint8Array): SignedHello =>
  signHello(world.identities.get(mallory)!, {
    session: world.session,
    party: mallory,
    exchangeKey: ExchangeKey.fromSecret(key).publicKey,
    ledger: world.setting(mallory).ledger,
  });

const otherDigest = 'e'.repeat(64);

describe('a hospital that tells two parties two things', () => {
  test('in its hello is noticed when the transcripts are compared', async () => {
    const toMallory = new Map<string, Uint8Array>();
    const secondKey = (): Uint8Array => new Uint8Array(32).fill(5);
    const world: World = threeHospitals(({ from, to, place, frame }) => {
      if (place !== HELLO) return [frame];
      if (to === mallory) toMallory.set(from, frame);
      return from === mallory && to === bert ? [canonicalBytes(secondHello(world, secondKey()))] : [frame];
    });
    const outcomes = await runStep(world, {
      channel: async (party, honest) => {
        if (party !== mallory) return honest;
        let opened = false;
        const relay: Relay = {
          send: (to, frame) => {
            if (to === bert && opened) world.deliver(mallory, to, frame);
            return Promise.resolve();
          },
          receive: (from) => Promise.resolve(toMallory.get(from)!),
        };
        const face = await openChannel(world.setting(mallory), relay, world.identities.get(mallory)!, secondKey);
        opened = true;
        return corrupt(honest, (to, round, message) => {
          if (to !== bert || round !== 'agree/0') return message;
          // To bert it tells a story in which everything, down to the seed of their pair, fits the second hello.
          const commitments = world.commit([0n, 1n, 2n].map((x) => [x, 10n * x])).map((input) => input.commitment);
          const hash = transcriptHash(world.transcript(face, commitments, 2));
          const list = Buffer.concat([new Uint8Array(32), seedHash(face.maskSeed(bert, hash))]);
          void face.send(bert, round, Buffer.concat([hash, list]));
          return undefined;
        });
      },
    });
    // Each sees that its peer's transcript differs; only the two hellos side by side would show whose doing it is.
    expectError(outcomes, anna, 'Abort', 'EQUIVOCATION', bert);
    expectError(outcomes, bert, 'Abort', 'EQUIVOCATION', anna);
    expectNoShares(outcomes, anna, bert);
  });

  const views: readonly [string, (honest: Transcript) => Transcript][] = [
    ['session', (honest) => ({ ...honest, session: otherDigest })],
    ['query', (honest) => ({ ...honest, query: otherDigest })],
    ['hellos', (honest) => ({ ...honest, hellos: honest.hellos.with(0, otherDigest) })],
    ['ledger root', (honest) => ({ ...honest, ledger: { ...honest.ledger, root: otherDigest } })],
    ['ledger size', (honest) => ({ ...honest, ledger: { ...honest.ledger, size: 9 } })],
    ['step', (honest) => ({ ...honest, step: 0, receipts: [otherDigest] })],
    ['plan', (honest) => ({ ...honest, plan: otherDigest })],
    ['commitments', (honest) => ({ ...honest, commitments: honest.commitments.with(0, honest.commitments[1]!) })],
    ['receipts', (honest) => ({ ...honest, receipts: [otherDigest] })],
  ];
  test.each(views)('and sees another %s is named by everybody', async (_, view) => {
    const outcomes = await runStep(threeHospitals(), {
      transcript: (party, honest) => (party === mallory ? view(honest) : honest),
    });
    expectError(outcomes, anna, 'Abort', 'EQUIVOCATION', mallory);
    expectError(outcomes, bert, 'Abort', 'EQUIVOCATION', mallory);
    expectNoShares(outcomes, anna, bert);
  });

  test('and counts other cells is named by everybody', async () => {
    const world = threeHospitals();
    const longer = new CommittedInput(CellVector.fromBigInts([2n, 20n, 0n]), world.random(`${mallory}/r`));
    const outcomes = await runStep(world, {
      commitments: (honest) => honest.with(2, longer.commitment),
      channel: (party, honest) => (party === mallory ? corrupt(honest, () => undefined) : honest),
    });
    // Its own input of three cells has the same commitment as two and a zero would: only the transcript tells.
    expectNoShares(outcomes, anna, bert);
  });

  test('in its commitment of this step is noticed by the one it showed another', async () => {
    const outcomes = await runStep(threeHospitals(), {
      transcript: (party, honest) =>
        party === bert ? { ...honest, commitments: honest.commitments.with(2, honest.commitments[0]!) } : honest,
    });
    expectError(outcomes, anna, 'Abort', 'EQUIVOCATION', bert);
    expectError(outcomes, bert, 'Abort', 'EQUIVOCATION', anna);
    expectNoShares(outcomes, anna, bert);
  });

  test('in its list of seed hashes is noticed in the confirmation', async () => {
    // The hash of the seed that mallory shares with anna, as told to bert, who cannot check it.
    const outcomes = await runStep(threeHospitals(), {
      channel: (party, honest) =>
        party !== mallory
          ? honest
          : corrupt(honest, (to, round, message) =>
              to === bert && round === 'agree/0' ? flipBit(message, 8 * 32) : message,
            ),
    });
    expectError(outcomes, anna, 'Abort', 'EQUIVOCATION', bert);
    expectError(outcomes, bert, 'Abort', 'EQUIVOCATION', anna);
    expect(errorOf(outcomes, anna).round).toBe('confirm/0');
    expectNoShares(outcomes, anna, bert);
  });

  test('in its confirmation is named by the one it lied to', async () => {
    const outcomes = await runStep(threeHospitals(), {
      channel: (party, honest) =>
        party !== mallory
          ? honest
          : corrupt(honest, (to, round, message) =>
              to === bert && round === 'confirm/0' ? flipBit(message, 0) : message,
            ),
    });
    expectError(outcomes, bert, 'Abort', 'EQUIVOCATION', mallory);
    expectNoShares(outcomes, bert);
  });

  test.each([
    ['empty', 0, 'agree/0'],
    ['cut', 95, 'agree/0'],
    ['long', 97, 'agree/0'],
    ['without its list', 32, 'agree/0'],
    ['empty', 0, 'confirm/0'],
    ['cut', 31, 'confirm/0'],
    ['long', 33, 'confirm/0'],
  ])('with a message that is %s (%i bytes in %s) is named', async (_, length, round) => {
    const outcomes = await runStep(threeHospitals(), {
      channel: (party, honest) =>
        party !== mallory
          ? honest
          : corrupt(honest, (__, at, message) =>
              at === round ? Buffer.concat([message, Buffer.alloc(200)]).subarray(0, length) : message,
            ),
    });
    expectError(outcomes, anna, 'Abort', 'EQUIVOCATION', mallory);
    expectError(outcomes, bert, 'Abort', 'EQUIVOCATION', mallory);
    expectNoShares(outcomes, anna, bert);
  });
});

describe('a caller that mixes up its own steps', () => {
  test.each([
    [
      'commitment',
      (honest: Transcript) => ({ ...honest, commitments: honest.commitments.with(0, toHex(new Uint8Array(32))) }),
    ],
    ['number of cells', (honest: Transcript) => ({ ...honest, cells: 3 })],
  ])('with a transcript of another %s than its own is refused before a frame leaves', async (_, view) => {
    const sent: string[] = [];
    const world = threeHospitals(({ from, place, frame }) => {
      if (place > HELLO) sent.push(from);
      return [frame];
    });
    const outcomes = await runStep(world, { transcript: (party, honest) => (party === anna ? view(honest) : honest) });
    expect(errorOf(outcomes, anna)).toMatchObject({ kind: 'Misuse', code: 'OUT_OF_ORDER' });
    expect(sent).not.toContain(anna);
    expectNoShares(outcomes, anna, bert, mallory);
  });
});
