import { ByteReader, ByteWriter, fromHex, toHex } from '../../protocol/bytes.ts';
import { Misuse } from '../../protocol/errors.ts';
import type { StockDemand } from '../../mpc/boolean/stock.ts';
import type { Batch } from './journal.ts';

/** A hospital's setup and batches of one roster, as far as they were not handed out. */
export interface Holding {
  readonly setup: string | null;
  readonly batches: readonly Batch[];
}

/** What a hospital says of its pool at the beginning; `busy` while another session of the same roster uses it. */
export type Offer = Holding | 'busy';

/** Slices of one batch that a session takes: from the first up to, not with, the last. */
export interface Claim {
  readonly id: string;
  readonly from: number;
  readonly to: number;
}

/** What follows from the offers of all. Everybody finds the same. */
export type Agreement =
  /** Somebody is busy: this session makes all it needs for itself, and no pool changes. */
  | { readonly kind: 'apart' }
  /** Somebody has no setup, or another: what there is counts for nothing, and a new setup is made. */
  | { readonly kind: 'anew' }
  | {
      readonly kind: 'together';
      /** Batches that not all hold, or not alike. */
      readonly dropped: readonly string[];
      readonly claims: readonly Claim[];
      readonly missing: StockDemand;
    };

const ID = 32;
const BATCH_LIMIT = 1024;

export function encodeOffer(offer: Offer): Uint8Array {
  const writer = new ByteWriter();
  if (offer === 'busy') return writer.uint8(0).finish();
  if (offer.setup === null) return writer.uint8(1).finish();
  const batches = [...offer.batches].sort((a, b) => (a.id < b.id ? -1 : 1)).slice(0, BATCH_LIMIT);
  writer.uint8(2).fixed(fromHex(offer.setup, ID)).uint32(batches.length);
  for (const { id, slices, triples, masks, next } of batches) {
    writer.fixed(fromHex(id, ID)).uint32(slices).uint32(triples).uint32(masks).uint32(next);
  }
  return writer.finish();
}

/** Errors: `Misuse MALFORMED`. */
export function decodeOffer(bytes: Uint8Array): Offer {
  const reader = new ByteReader(bytes);
  const kind = reader.uint8();
  if (kind > 2) throw new Misuse('MALFORMED', 'an offer of another kind');
  if (kind < 2) {
    reader.end();
    return kind === 0 ? 'busy' : { setup: null, batches: [] };
  }
  const setup = toHex(reader.fixed(ID));
  const count = reader.uint32();
  if (count > BATCH_LIMIT) throw new Misuse('MALFORMED', 'an offer of too many batches');
  const batches = Array.from({ length: count }, () => ({
    id: toHex(reader.fixed(ID)),
    slices: reader.uint32(),
    triples: reader.uint32(),
    masks: reader.uint32(),
    next: reader.uint32(),
  }));
  reader.end();
  if (
    batches.some(({ id, slices, next }, i) => slices === 0 || next >= slices || (i > 0 && id <= batches[i - 1]!.id))
  ) {
    throw new Misuse('MALFORMED', 'an offer of batches out of order, or of none left');
  }
  return { setup, batches };
}

/**
 * Which slices a session takes. Of each batch the next position is the greatest that any hospital names: who was set back by a
 * restored disk is brought forward by the others, and a liar can only waste. A batch that is not held by all, or not alike, is dropped
 * by all.
 */
export function agree(offers: readonly Offer[], roster: readonly string[], demand: StockDemand): Agreement {
  const holdings: Holding[] = [];
  for (const offer of offers) {
    if (offer === 'busy') return { kind: 'apart' };
    holdings.push(offer);
  }
  const [first, ...others] = holdings;
  if (first === undefined || first.setup === null || others.some(({ setup }) => setup !== first.setup))
    return { kind: 'anew' };

  const named = new Set(holdings.flatMap(({ batches }) => batches.map(({ id }) => id)));
  const common = [...named].sort().flatMap((id) => {
    const held = holdings.map(({ batches }) => batches.find((batch) => batch.id === id));
    return agreedBatch(held);
  });
  const kept = new Set(common.map(({ id }) => id));
  const dropped = [...named].filter((id) => !kept.has(id)).sort();
  return { kind: 'together', dropped, ...chooseSlices(common, roster, demand) };
}

function agreedBatch(held: readonly (Batch | undefined)[]): Batch[] {
  const [first] = held;
  if (first === undefined) return [];
  const alike = held.every(
    (batch) => batch?.slices === first.slices && batch.triples === first.triples && batch.masks === first.masks,
  );
  return alike ? [{ ...first, next: Math.max(...held.map((batch) => batch!.next)) }] : [];
}

/** Those nearest to their end first, so that few batches stay open. */
function chooseSlices(
  batches: readonly Batch[],
  roster: readonly string[],
  demand: StockDemand,
): { claims: Claim[]; missing: StockDemand } {
  const claims: Claim[] = [];
  let triples = demand.triples;
  const masks = new Map(roster.map((party) => [party, demand.masks.get(party) ?? 0]));
  const left = ({ slices, next }: Batch): number => slices - next;
  for (const batch of [...batches].sort((a, b) => left(a) - left(b))) {
    const forMasks = batch.masks === 0 ? 0 : Math.max(...masks.values()) / batch.masks;
    const forTriples = batch.triples === 0 ? 0 : triples / batch.triples;
    const taken = Math.min(left(batch), Math.ceil(Math.max(forTriples, forMasks)));
    if (taken === 0) continue;
    claims.push({ id: batch.id, from: batch.next, to: batch.next + taken });
    triples = Math.max(0, triples - taken * batch.triples);
    for (const [party, count] of masks) masks.set(party, Math.max(0, count - taken * batch.masks));
  }
  // Of triples made only in part it is not known which are still missing: any will do.
  const narrow = triples === demand.triples ? { narrow: demand.narrow ?? [] } : {};
  return { claims, missing: { triples, ...narrow, random: demand.random, masks } };
}
