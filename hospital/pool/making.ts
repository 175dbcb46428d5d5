import { ByteReader, ByteWriter, toHex } from '../../protocol/bytes.ts';
import { Abort, Misuse } from '../../protocol/errors.ts';
import { rosterOf, tossCoin } from '../../mpc/boolean/coin.ts';
import { cutStock } from '../../mpc/preprocessing/pieces.ts';
import { prepareStock } from '../../mpc/preprocessing/prepare.ts';
import { exchange, type RandomSource, type Transport } from '../../mpc/transport.ts';
import type { Lease } from './lease.ts';
import { masksFor, MASKS_LIMIT, NOTHING, sliceDemand, SLICE_TRIPLES, type SliceShape } from './shape.ts';
import { heed, negotiate, setupOf } from './taking.ts';

/** Slices of one batch: a query that comes meanwhile waits until such a batch is made, about a second of work. */
export const BATCH_SLICES = 32;

export interface Making {
  /** Triples to have in the end. */
  readonly target: number;
  readonly masksPerTriple: number;
  /** Asked before each batch; false brings the session to a clean end at all hospitals. */
  readonly goOn: () => boolean;
  /** Called after each batch with the triples now held. */
  readonly made: (triples: number) => void;
}

/**
 * Fills the stores of a roster together: first all bring theirs to what they have in common, then batch by batch until one of them
 * has as much as it wants or has something else to do. Each batch is on disk before the next begins.
 *
 * Only while a batch is made is the key share in use: an error in between costs nothing of what is there.
 *
 * Errors: those of `negotiate`, `setUpRoster` and `prepareStock`; `Fault DISK`.
 */
export async function makeAhead(
  lease: Lease,
  transport: Transport,
  random: RandomSource,
  making: Making,
): Promise<void> {
  const { store } = lease;
  const roster = rosterOf(transport);
  const { agreement, confirm } = await negotiate(lease, transport, NOTHING);
  if (store !== undefined) heed(store, agreement);
  await confirm();
  if (store === undefined || agreement.kind === 'apart') return;

  const masks = masksFor(making.masksPerTriple, roster.length);
  for (let i = 0; ; i++) {
    const missing = making.goOn() ? Math.max(0, making.target - store.triples) : 0;
    const { slices, shape } = await planBatch(transport, `ahead/${i}/plan`, Math.floor(missing / SLICE_TRIPLES), masks);
    if (slices === 0) return;
    store.claim(lease.session, []);
    const setup = await setupOf(store, transport, random);
    const stock = await prepareStock(transport, setup, random, sliceDemand(shape, roster, slices));
    const id = toHex(await tossCoin(transport, `ahead/${i}/id`, random));
    store.addBatch(id, shape, cutStock(stock, sliceDemand(shape, roster)).slice(0, slices));
    store.release(lease.session);
    stock.discard();
    making.made(store.triples);
  }
}

/** As many slices as the one who wants the fewest, with as many masks as the one who wants the most. */
async function planBatch(
  transport: Transport,
  round: string,
  slices: number,
  masks: number,
): Promise<{ slices: number; shape: SliceShape }> {
  const own = new ByteWriter().uint32(Math.min(slices, BATCH_SLICES)).uint32(masks).finish();
  const received = await exchange(transport, round, () => own);
  const wishes = [own, ...received.values()].map((message, i) => {
    try {
      return readWish(message);
    } catch (cause) {
      const party = [transport.self, ...received.keys()][i]!;
      throw new Abort('FORGED_FRAME', `what ${party} wants to prepare does not decode`, { party, round, cause });
    }
  });
  return {
    slices: Math.min(...wishes.map((wish) => wish.slices)),
    shape: { triples: SLICE_TRIPLES, masks: Math.max(...wishes.map((wish) => wish.masks)) },
  };
}

function readWish(message: Uint8Array): { slices: number; masks: number } {
  const reader = new ByteReader(message);
  const wish = { slices: reader.uint32(), masks: reader.uint32() };
  reader.end();
  if (wish.slices > BATCH_SLICES || wish.masks > MASKS_LIMIT || wish.masks % 128 !== 0) {
    throw new Misuse('MALFORMED', 'a wish out of range');
  }
  return wish;
}
