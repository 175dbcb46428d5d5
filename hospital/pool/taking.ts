import { equalBytes, fromHex } from '../../protocol/bytes.ts';
import { canonicalBytes, hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { rosterOf } from '../../mpc/boolean/coin.ts';
import type { Stock, StockDemand } from '../../mpc/boolean/stock.ts';
import { joinStocks } from '../../mpc/preprocessing/pieces.ts';
import { prepareStock } from '../../mpc/preprocessing/prepare.ts';
import { setUpRoster, type RosterSetup } from '../../mpc/preprocessing/setup.ts';
import { exchange, type RandomSource, type Transport } from '../../mpc/transport.ts';
import { agree, decodeOffer, encodeOffer, type Agreement, type Claim, type Offer } from './agreement.ts';
import type { Lease } from './lease.ts';
import { isNothing } from './shape.ts';
import type { RosterStore } from './store.ts';

/**
 * Material for one evaluation, from the store as far as it reaches, the rest made in the session (docs/preprocessing.md
 * §9). What is taken is on disk as spent before anything of it is read.
 *
 * Cost: two rounds, about 50 bytes a batch; what is missing costs what `prepareStock` and, without a setup, `setUpRoster` cost.
 * Errors: theirs, and `Abort EQUIVOCATION` when the parties were told different things, `Fault DISK`.
 */
export async function takeStock(
  lease: Lease,
  transport: Transport,
  random: RandomSource,
  demand: StockDemand,
): Promise<Stock> {
  if (lease.apart) return makeApart(lease, transport, random, demand);
  const { agreement, confirm } = await negotiate(lease, transport, demand);
  const { store } = lease;
  if (agreement.kind === 'apart' || store === undefined) {
    await confirm();
    lease.goApart();
    return makeApart(lease, transport, random, demand);
  }
  const settled = agreement.kind === 'together' ? agreement : { claims: [], missing: demand };
  heed(store, agreement);
  store.claim(lease.session, settled.claims);
  await confirm();
  const setup = await setupOf(store, transport, random);
  return gather(store, setup, settled, (missing) => prepareStock(transport, setup, random, missing));
}

/** The roster's setup, made now if there is none. The caller has noted that this session uses it. */
export async function setupOf(store: RosterStore, transport: Transport, random: RandomSource): Promise<RosterSetup> {
  if (store.setup !== undefined) return store.setup;
  const setup = await setUpRoster(transport, random);
  store.keepSetup(setup);
  return setup;
}

/** Brings the store to what all have in common. */
export function heed(store: RosterStore, agreement: Agreement): void {
  if (agreement.kind === 'anew') store.destroy('not all hospitals hold its setup');
  if (agreement.kind === 'together') store.drop(agreement.dropped);
}

/**
 * One round in which all say what they hold; what follows from it is the same for all who heard the same. To be acted on, as
 * far as it is to be on disk, before `confirm`, a second round in which all say what they heard.
 */
export async function negotiate(
  lease: Lease,
  transport: Transport,
  demand: StockDemand,
): Promise<{ agreement: Agreement; confirm: () => Promise<void> }> {
  const roster = rosterOf(transport);
  const round = lease.nextRound();
  const own = encodeOffer(lease.store?.holding ?? 'busy');
  const received = await exchange(transport, `${round}/offer`, () => own);
  const messages = roster.map((party) => received.get(party) ?? own);
  const offers = roster.map((party, i) => readOffer(party, `${round}/offer`, messages[i]!));
  const agreement = agree(offers, roster, demand);
  const heard = hashBytes(
    LABEL.poolAgreement,
    fromHex(transport.session, 32),
    Buffer.from(round),
    canonicalBytes(describe(demand)),
    ...messages,
  );
  return { agreement, confirm: () => confirmHeard(transport, `${round}/confirm`, heard) };
}

function readOffer(party: string, round: string, message: Uint8Array): Offer {
  try {
    return decodeOffer(message);
  } catch (cause) {
    throw new Abort('FORGED_FRAME', `what ${party} says of its stock does not decode`, { party, round, cause });
  }
}

async function confirmHeard(transport: Transport, round: string, heard: Uint8Array): Promise<void> {
  const received = await exchange(transport, round, () => heard);
  for (const [party, theirs] of received) {
    if (equalBytes(theirs, heard)) continue;
    throw new Abort('EQUIVOCATION', `${party} was told of other stocks than we were`, {
      party,
      round,
      hint: 'Somebody told two parties two things. The stock of this roster is made anew.',
    });
  }
}

const describe = ({ triples, random, masks }: StockDemand): object => ({
  triples,
  random,
  masks: Object.fromEntries(masks),
});

async function gather(
  store: RosterStore,
  setup: RosterSetup,
  { claims, missing }: { claims: readonly Claim[]; missing: StockDemand },
  make: (missing: StockDemand) => ReturnType<typeof prepareStock>,
): Promise<Stock> {
  const pieces = store.take(claims);
  if (!isNothing(missing)) pieces.push(await make(missing));
  return joinStocks(setup.keyShare, pieces);
}

async function makeApart(
  lease: Lease,
  transport: Transport,
  random: RandomSource,
  demand: StockDemand,
): Promise<Stock> {
  lease.ownSetup ??= await setUpRoster(transport, random);
  return prepareStock(transport, lease.ownSetup, random, demand);
}
