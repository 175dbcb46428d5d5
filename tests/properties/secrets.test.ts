import { inspect } from 'node:util';
import { describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { judge } from '../../mpc/sum/blame.ts';
import { combineShares } from '../../mpc/sum/opening.ts';
import { CommittedInput } from '../../mpc/sum/party.ts';
import { seededRandom } from '../../mpc/testing/world.ts';
import { HealthchainError } from '../../protocol/errors.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { Identity } from '../../protocol/identity.ts';
import { addOne, agreed, answerKey, blameCase, MODULI, receive, sealed, type Agreed } from '../adversary/shares.ts';
import { flipBit } from '../adversary/attack.ts';

/** A value that occurs nowhere by chance: decimal, hexadecimal, and the bytes as each printer shows them. */
const SENTINEL = 918_273_645_546_372_819n;

/** Every way in which bytes could show in a text. */
function tracesOf(bytes: Uint8Array): string[] {
  const some = bytes.subarray(0, 8);
  const base64 = Buffer.from(bytes).toString('base64').slice(0, 10);
  return [
    Buffer.from(some).toString('hex'),
    base64,
    [...some].join(','),
    [...some].join(', '),
    JSON.stringify(Object.fromEntries([...some].map((byte, i) => [i, byte]))).slice(1, -1),
    [...some].map((byte) => byte.toString(16).padStart(2, '0')).join(' '),
  ];
}

const printed = (value: unknown): string =>
  [
    inspect(value, { depth: 20, showHidden: true, maxArrayLength: null, maxStringLength: null }),
    JSON.stringify(value),
    String(value),
  ].join('\n');

function expectNoTrace(value: unknown, secrets: readonly Uint8Array[]): void {
  const text = printed(value);
  expect(text.includes(SENTINEL.toString()) || text.includes(SENTINEL.toString(16))).toBe(false);
  for (const secret of secrets) for (const trace of tracesOf(secret)) expect(text.includes(trace), trace).toBe(false);
}

function secretsOf(step: Agreed, place: number): Uint8Array[] {
  const input = step.inputs[place]!;
  const seeds = input.channel.peers.map((peer) => input.revealSeed(peer));
  const share = Uint8Array.from([...input.shareChunks(100)].flatMap((chunk) => [...chunk]));
  return [...seeds, share, input.blindingShare()];
}

describe('seeds, shares and cells', () => {
  test.each(MODULI)('do not show in any object of these layers, printed or as JSON (mod %s)', async (modulus) => {
    const step = await agreed([[SENTINEL], [1n], [2n]], { modulus });
    const secrets = secretsOf(step, 0);
    const sum = new ShareSum(1, modulus);
    const shares = [0, 1, 2].map((place) => receive(step, place, sealed(step, place), sum));
    const cells = CellVector.fromBigInts([SENTINEL]);
    const committed = new CommittedInput(cells, seededRandom('secret'));
    const input = step.inputs[0]!;
    for (const value of [
      cells,
      committed,
      input,
      input.channel,
      input.channel.exchangeKey,
      sum,
      shares[0],
      ...(modulus === 'l' ? [sum.total()] : []),
    ])
      expectNoTrace(value, secrets);
    expectNoTrace(combineShares(sum, shares), secrets);
    expectNoTrace(combineShares(sum, shares), [combineShares(sum, shares).blinding]);
  });

  test('would be seen by this test if they showed', async () => {
    const step = await agreed([[SENTINEL], [1n]]);
    const [seed] = secretsOf(step, 0);
    for (const leak of [
      seed,
      { seed },
      Buffer.from(seed!).toString('hex'),
      { text: Buffer.from(seed!).toString('base64') },
    ])
      expect(() => expectNoTrace(leak, [seed!])).toThrow();
    expect(() => expectNoTrace({ cell: SENTINEL.toString() }, [])).toThrow();
  });

  test('do not show in the errors of a share that fails in any way, nor in their causes', async () => {
    const step = await agreed([[SENTINEL], [1n], [2n]], { modulus: 'l' });
    const secrets = secretsOf(step, 0);
    const chunks = sealed(step, 0);
    const attempts: (() => unknown)[] = [
      ...chunks.map((chunk, place) => () => receive(step, 0, chunks.with(place, flipBit(chunk, 9)))),
      () => receive(step, 0, sealed(step, 0, { elements: (honest) => honest.map((byte) => byte | 0xf0) })),
      () => receive(step, 0, sealed(step, 0, { blinding: (honest) => honest.map((byte) => byte | 0xf0) })),
      () => receive(step, 1, chunks),
      () => {
        const sum = new ShareSum(1);
        const share = receive(step, 0, sealed(step, 0, { elements: (honest) => addOne(honest) }), sum);
        return combineShares(sum, [share]);
      },
    ];
    for (const attempt of attempts) {
      let error: unknown;
      try {
        attempt();
      } catch (caught) {
        error = caught;
      }
      expect(error).toBeInstanceOf(HealthchainError);
      expectNoTrace(error, secrets);
      expectNoTrace((error as HealthchainError).toJSON(), secrets);
      expectNoTrace((error as HealthchainError).cause ?? '', secrets);
    }
  });

  test.each(MODULI)('do not show in a statement or a verdict (mod %s)', async (modulus) => {
    const step = await agreed([[SENTINEL], [1n], [2n]], { modulus });
    const of = blameCase(step, { 1: { elements: (honest) => addOne(honest) } });
    for (const place of [0, 1, 2]) {
      const statement = of.statements.get(step.world.roster[place]!);
      expectNoTrace(statement, secretsOf(step, 0));
    }
    expectNoTrace(judge(of), secretsOf(step, 0));
  });

  test('nor do private keys', () => {
    const secret = seededRandom('key')(32);
    expectNoTrace(ExchangeKey.fromSecret(secret), [secret]);
    const identity = Identity.generate();
    const pkcs8 = Buffer.from(identity.toPem().split('\n')[1]!, 'base64');
    expectNoTrace(identity, [pkcs8.subarray(16)]);
    expectNoTrace(answerKey, [seededRandom('answer')(32)]);
  });
});
