import { describe, expect, test } from 'vitest';
import { Broadcasts } from '../../mpc/boolean/broadcast.ts';
import { commitTo } from '../../mpc/boolean/coin.ts';
import { checkBlock } from '../../mpc/preprocessing/consistency.ts';
import { CHECK_BITS, COLUMNS, Extension, type Block } from '../../mpc/preprocessing/cot.ts';
import { checkKeys, REPETITIONS } from '../../mpc/preprocessing/key-check.ts';
import { openWorkbench, type Workbench } from '../../mpc/preprocessing/workbench.ts';
import { xorAll } from '../../mpc/testing/combine.ts';
import { dealSetups } from '../../mpc/testing/rosters.ts';
import { World } from '../../mpc/testing/world.ts';
import { concatBytes } from '../../protocol/bytes.ts';
import { anna, bert, mallory } from './attack.ts';

const ROUND = 'setup/keys';
const bitAt = (bytes: Uint8Array, place: number): number => (bytes[place >> 3]! >> (place & 7)) & 1;

/** Benches and blocks of three hospitals whose bits passed their check. */
async function checkedBlocks(seed: string): Promise<{ benches: Workbench[]; blocks: Block[] }> {
  const world = new World({ parties: 3, seed, deadline: 'idle' });
  const setups = dealSetups(world.roster, seed);
  const benches = await Promise.all(
    world.roster.map(async (party, i) =>
      openWorkbench(await world.channel(party), world.random(`${party}/keys`), setups[i]!, 'setup'),
    ),
  );
  const blocks = await Promise.all(
    benches.map(async (bench) => {
      const block = await new Extension(bench, setups[0]!.id).block('corrections', () => REPETITIONS + CHECK_BITS);
      await checkBlock(bench, 'setup', block);
      return block;
    }),
  );
  return { benches, blocks };
}

/** From here on the tags of `victim` under mallory's key are as if that key had differed from the others' in `difference`. */
function useOtherKey(bench: Workbench, block: Block, difference: Uint8Array): void {
  const { at, stride } = block.tags.get(mallory)!;
  const bits = bench.workspace.copy(block.bits.at, stride);
  for (let b = 0; b < COLUMNS; b++) {
    if (bitAt(difference, b) === 0) continue;
    const column = bench.workspace.view(at + b * stride, stride);
    for (let i = 0; i < stride; i++) column[i]! ^= bits[i]!;
  }
}

function rowsOf(bench: Workbench, columns: { at: number; stride: number }): Uint8Array {
  const rows = bench.workspace.take(16 * REPETITIONS);
  bench.workspace.kernels.transpose(rows, columns.at, columns.stride, REPETITIONS);
  return bench.workspace.copy(rows, 16 * REPETITIONS);
}

/** Mallory's part of the key check, without looking at what others send, and with the values it likes to commit to. */
async function carelessKeyCheck(
  { broadcasts, transport, random, setup, workspace }: Workbench,
  block: Block,
  valuesFor: (sum: Uint8Array, key: Uint8Array) => [Uint8Array, Uint8Array],
): Promise<void> {
  const bits = workspace.copy(block.bits.at, REPETITIONS / 8);
  const tags = [anna, bert].map((peer) => rowsOf(bench(), block.tags.get(peer)!));
  const sum = xorAll([anna, bert].map((peer) => rowsOf(bench(), block.keys.get(peer)!)));
  const key = new Uint8Array(16 * REPETITIONS).map((_, i) => setup.keyShare[i & 15]!);
  const values = valuesFor(sum, key);
  const secrets = [random(32 * REPETITIONS), random(32 * REPETITIONS)];
  const part = (list: Uint8Array, r: number, length: number): Uint8Array => list.subarray(r * length, (r + 1) * length);
  const each = Array.from({ length: REPETITIONS }, (_, r) => r);
  await broadcasts.round(
    concatBytes(
      ...values.flatMap((value, bit) =>
        each.map((r) =>
          commitTo(transport.session, `${ROUND}/${r}/${bit}`, mallory, part(secrets[bit]!, r, 32), part(value, r, 16)),
        ),
      ),
    ),
  );
  const { messages } = await broadcasts.round(concatBytes(bits, ...tags));
  const named = (r: number): number => bitAt(messages[0]!, r) ^ bitAt(messages[1]!, r);
  await broadcasts.round(
    concatBytes(...each.flatMap((r) => [part(secrets[named(r)]!, r, 32), part(values[named(r)]!, r, 16)])),
  );
  await broadcasts.round(new Uint8Array(0));

  function bench(): Workbench {
    return { broadcasts, transport, random, setup, workspace, keyBits: setup.keyBits() };
  }
}

const codeOf = (outcome: PromiseSettledResult<void>): unknown =>
  outcome.status === 'fulfilled' ? undefined : { code: errorOf(outcome).code, party: errorOf(outcome).party };
const errorOf = (outcome: PromiseRejectedResult): { code: string; party: string } =>
  outcome.reason as { code: string; party: string };

describe('a hospital with two global keys', () => {
  const difference = new Uint8Array(16);
  difference[5] = 0x10;
  const shifted = (list: Uint8Array): Uint8Array => list.map((byte, i) => byte ^ difference[i & 15]!);

  test.each([
    ['the values under the one key', (sum: Uint8Array, key: Uint8Array) => [sum, xorAll([sum, key])]],
    ['the values under the other key', (sum: Uint8Array, key: Uint8Array) => [sum, shifted(xorAll([sum, key]))]],
    ['a guess at its victim’s bits', (sum: Uint8Array, key: Uint8Array) => [shifted(sum), xorAll([sum, key])]],
  ] as [string, (sum: Uint8Array, key: Uint8Array) => [Uint8Array, Uint8Array]][])(
    'that commits to %s is named by all',
    async (_, valuesFor) => {
      const { benches, blocks } = await checkedBlocks('two keys');
      useOtherKey(benches[1]!, blocks[1]!, difference);
      const outcomes = await Promise.allSettled([
        checkKeys(benches[0]!, blocks[0]!),
        checkKeys(benches[1]!, blocks[1]!),
        carelessKeyCheck(benches[2]!, blocks[2]!, valuesFor),
      ]);
      for (const honest of [0, 1]) expect(codeOf(outcomes[honest]!)).toEqual({ code: 'KEY_CHECK', party: mallory });
    },
  );

  test('is what these tests compare with: with one key the same hospital goes on', async () => {
    const { benches, blocks } = await checkedBlocks('one key');
    const outcomes = await Promise.allSettled([
      checkKeys(benches[0]!, blocks[0]!),
      checkKeys(benches[1]!, blocks[1]!),
      carelessKeyCheck(benches[2]!, blocks[2]!, (sum, key) => [sum, xorAll([sum, key])]),
    ]);
    for (const outcome of outcomes) expect(outcome.status).toBe('fulfilled');
  });

  test.each([
    ['opens another value than it committed to', 'setup/3', 40, 'COMMITMENT'],
    ['opens a wrong tag', 'setup/2', 100, 'KEY_CHECK'],
    ['opens a wrong bit', 'setup/2', 0, 'KEY_CHECK'],
  ])('or %s, is named', async (_, round, place, code) => {
    const { benches, blocks } = await checkedBlocks('wrong openings');
    const honest = Object.getOwnPropertyDescriptor(Broadcasts.prototype, 'round')!.value as Broadcasts['round'];
    benches[2]!.broadcasts.round = function (message, ...rest) {
      if (`${this.name}/${this.rounds}` === round) message[place]! ^= 1;
      return honest.call(this, message, ...rest);
    };
    const outcomes = await Promise.allSettled(benches.map((bench, i) => checkKeys(bench, blocks[i]!)));
    expect(codeOf(outcomes[0]!)).toEqual({ code, party: mallory });
    expect(outcomes[1]!.status).toBe('rejected');
  });
});
