import { inspect } from 'node:util';
import { ByteReader, ByteWriter, concatBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort, Misuse } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { rosterOf, tossCoin } from '../boolean/coin.ts';
import { exchange, type RandomSource, type Transport } from '../transport.ts';
import { OtReceiver, OtSender } from './base-ot.ts';
import { checkBlock } from './consistency.ts';
import { CHECK_BITS, Extension } from './cot.ts';
import { checkKeys, REPETITIONS } from './key-check.ts';
import { growTrees, LEAVES, puncturedTrees, SEED_BYTES, TREES } from './puncturable.ts';
import { openWorkbench } from './workbench.ts';

const KEY_BYTES = 16;
const KEY_BITS = 128;
const ELEMENT = 32;
const ID_BYTES = 32;
const FORMAT = 1;
const NAME_LIMIT = 256;
const ROSTER_LIMIT = 1000;

/** Towards one peer: seeds of all leaves for our bits, and of all but one of each tree for its bits. */
export interface PairSeeds {
  readonly holder: readonly Uint8Array[];
  readonly keeper: readonly Uint8Array[];
}

/**
 * What a party keeps of the setup with one roster: its share Delta_i of the global key and the seeds of all later transfers.
 * As secret as anything this party holds, and to be destroyed after any `Abort` among this roster: parts of Delta_i may
 * then be known to others. It may be used for any number of preparations, and restored from a backup: streams are fresh
 * in each.
 */
export class RosterSetup {
  /** The same at all parties, and another in every setup. */
  readonly id: Uint8Array;
  readonly roster: readonly string[];
  readonly self: string;
  /** Delta_i: 16 bytes. */
  readonly keyShare: Uint8Array;
  readonly #pairs: ReadonlyMap<string, PairSeeds>;

  constructor(
    id: Uint8Array,
    roster: readonly string[],
    self: string,
    keyShare: Uint8Array,
    pairs: ReadonlyMap<string, PairSeeds>,
  ) {
    this.id = id;
    this.roster = roster;
    this.self = self;
    this.keyShare = keyShare;
    this.#pairs = pairs;
  }

  /** The bits of Delta_i, least significant of the first byte first. */
  keyBits(): readonly number[] {
    return bitsOf(this.keyShare);
  }

  /** For transfers of our bits to `peer`: four leaves a tree. */
  holderSeeds(peer: string): readonly Uint8Array[] {
    return this.#pairs.get(peer)!.holder;
  }

  /** For transfers of `peer`'s bits to us: three leaves a tree, by their distance from the missing one. */
  keeperSeeds(peer: string): readonly Uint8Array[] {
    return this.#pairs.get(peer)!.keeper;
  }

  /** Secret: for a sealed place alone. About 14 KiB for each peer. */
  encode(): Uint8Array {
    const writer = new ByteWriter().uint8(FORMAT).fixed(this.id).uint32(this.roster.length);
    for (const party of this.roster) writer.text(party);
    writer.text(this.self).fixed(this.keyShare);
    for (const peer of this.roster) {
      if (peer !== this.self) writer.fixed(concatBytes(...this.holderSeeds(peer), ...this.keeperSeeds(peer)));
    }
    return writer.finish();
  }

  /** Errors: `Misuse MALFORMED`. */
  static decode(bytes: Uint8Array): RosterSetup {
    const reader = new ByteReader(bytes);
    if (reader.uint8() !== FORMAT) throw new Misuse('MALFORMED', 'a setup of another format');
    const id = reader.fixed(ID_BYTES).slice();
    const parties = reader.uint32();
    if (parties < 2 || parties > ROSTER_LIMIT) throw new Misuse('MALFORMED', 'a setup of a roster of the wrong size');
    const roster = Array.from({ length: parties }, () => reader.text(NAME_LIMIT));
    const self = reader.text(NAME_LIMIT);
    if (!roster.includes(self) || roster.some((party, i) => i > 0 && party <= roster[i - 1]!)) {
      throw new Misuse('MALFORMED', 'a setup whose roster is out of order or lacks its owner');
    }
    const keyShare = reader.fixed(KEY_BYTES).slice();
    const seeds = (count: number): Uint8Array[] =>
      Array.from({ length: count }, () => reader.fixed(SEED_BYTES).slice());
    const pairs = new Map<string, PairSeeds>();
    for (const peer of roster) {
      if (peer !== self) pairs.set(peer, { holder: seeds(LEAVES * TREES), keeper: seeds((LEAVES - 1) * TREES) });
    }
    reader.end();
    return new RosterSetup(id, roster, self, keyShare, pairs);
  }

  toJSON(): string {
    return `RosterSetup(${this.roster.length} parties, redacted)`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }
}

/**
 * Once per roster: base transfers, trees, and the check that each party uses one Delta_i towards all
 * (docs/preprocessing.md §2, §3 and §5).
 *
 * Cost: twelve rounds, 31,264 bytes and 2048 (n - 1) to each peer; 128 public-key transfers in each direction with each. Errors: `Abort BAD_BASE_OT`, `COT_CHECK`, `KEY_CHECK`, `COMMITMENT`, `EQUIVOCATION`, `FORGED_FRAME`.
 */
export async function setUpRoster(transport: Transport, random: RandomSource): Promise<RosterSetup> {
  const roster = rosterOf(transport);
  const { self, peers, session } = transport;
  const keyShare = freshKeyShare(random, roster[0] === self);
  const keyBits = bitsOf(keyShare);
  const contextOf = (keeper: string, holder: string): Uint8Array =>
    hashBytes(LABEL.baseOt, ...[session, ...roster, keeper, holder].map((text) => Buffer.from(text)));

  const complements = keyBits.map((bit) => 1 - bit);
  const receivers = new Map(
    peers.map((peer) => [peer, new OtReceiver(contextOf(self, peer), complements, random)] as const),
  );
  const senders = new Map(peers.map((peer) => [peer, new OtSender(contextOf(peer, self), random)] as const));
  const first = await exchange(transport, 'setup/transfers', (peer) =>
    concatBytes(receivers.get(peer)!.message, senders.get(peer)!.message),
  );
  const grown = new Map(
    peers.map((peer) => {
      const message = first.get(peer)!;
      const offers = 2 * ELEMENT * KEY_BITS;
      if (message.length !== offers + ELEMENT) {
        throw new Abort('FORGED_FRAME', `a message of ${peer} has the wrong length`, { party: peer });
      }
      const pairs = senders.get(peer)!.finish(message.subarray(0, offers), KEY_BITS, peer);
      return [peer, growTrees(contextOf(peer, self), pairs)] as const;
    }),
  );
  const second = await exchange(transport, 'setup/trees', (peer) => grown.get(peer)!.message);
  const pairs = new Map<string, PairSeeds>();
  for (const peer of peers) {
    const answer = first.get(peer)!.subarray(2 * ELEMENT * KEY_BITS);
    const chosen = receivers.get(peer)!.finish(answer, peer);
    const trees = puncturedTrees(contextOf(self, peer), keyBits, chosen, second.get(peer)!, peer);
    pairs.set(peer, { holder: grown.get(peer)!.seeds.flat(), keeper: trees.flat() });
  }

  const id = await tossCoin(transport, 'setup/id', random);
  const setup = new RosterSetup(id, roster, self, keyShare, pairs);
  const bench = openWorkbench(transport, random, setup, 'setup');
  const block = await new Extension(bench, id).block('setup/corrections', () => REPETITIONS + CHECK_BITS);
  await checkBlock(bench, 'setup', block);
  await checkKeys(bench, block);
  bench.workspace.close();
  return setup;
}

/** Random but for the lowest bit, which is 1 at the first party and 0 at all others: the sum of all has a lowest bit of 1. */
function freshKeyShare(random: RandomSource, first: boolean): Uint8Array {
  const share = random(KEY_BYTES);
  share[0] = (share[0]! & 0xfe) | (first ? 1 : 0);
  return share;
}

const bitsOf = (bytes: Uint8Array): number[] =>
  Array.from({ length: 8 * bytes.length }, (_, bit) => (bytes[bit >> 3]! >> (bit & 7)) & 1);
