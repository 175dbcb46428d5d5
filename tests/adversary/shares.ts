import { CellVector } from '../../mpc/cells.ts';
import { addCommitments, commitCells } from '../../mpc/pedersen.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { makeStatement, type BlameStatement, type SignedBlameStatement } from '../../mpc/sum/blame-statement.ts';
import type { BlameCase, SuspectShare } from '../../mpc/sum/blame.ts';
import { combineShares, verifyOpening, type VerifiedCells } from '../../mpc/sum/opening.ts';
import { CellSet } from '../../mpc/sum/cell-set.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import { maskSign, type AgreedInput } from '../../mpc/sum/party.ts';
import { ShareOpener, type ExpectedShare, type ReceivedShare } from '../../mpc/sum/share-opener.ts';
import { sealShare } from '../../mpc/sum/share-sealer.ts';
import { seededRandom, World } from '../../mpc/testing/world.ts';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import type { Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { transcriptHash, type Modulus } from '../../protocol/session.ts';

export const answerKey = ExchangeKey.fromSecret(seededRandom('answer')(32));

/** Hospitals that agreed on a step, in roster order, and what is on the ledger. */
export interface Agreed {
  readonly world: World;
  readonly inputs: readonly AgreedInput[];
  readonly decided: readonly DecidedInput[];
  readonly commitments: readonly Uint8Array[];
  readonly cells: number;
  readonly modulus: Modulus;
  readonly step: number;
}

/** Both ways of sharing, for tests that go through either. */
export const MODULI: readonly Modulus[] = ['2^128', 'l'];

/** Shares are mod 2^128 unless cells are withheld, as for a query. */
export async function agreed(
  values: readonly (readonly bigint[])[],
  options: { step?: number; sameMembers?: World; released?: (cell: number) => boolean; modulus?: Modulus } = {},
): Promise<Agreed> {
  const { step = 0, released, modulus = released === undefined ? '2^128' : 'l', ...members } = options;
  const world = new World({ parties: values.length, deadline: 'idle', ...members });
  const { agreed: inputs, commitments } = await world.agree(values, step, modulus);
  const cells = values[0]!.length;
  const decided = await Promise.all(
    inputs.map((input, i) =>
      released === undefined
        ? Promise.resolve(DecidedInput.everything(input))
        : DecidedInput.deciding(input, CellSet.of(cells, released), [], seededRandom(`${world.seed}/conceal/${i}`)),
    ),
  );
  return { world, inputs, decided, commitments, cells, modulus, step };
}

/** What a cheat replaces when it makes its share; the rest, signatures included, is as the protocol has it. */
export interface Lie {
  readonly elements?: (honest: Uint8Array) => Uint8Array;
  readonly blinding?: (honest: Uint8Array) => Uint8Array;
  readonly agreement?: Uint8Array;
  readonly outcome?: (honest: Outcome) => Outcome;
  readonly step?: number;
  readonly cells?: number;
}

/** The input of a party that lies about it. */
export function lying(decided: DecidedInput, lie: Lie): DecidedInput {
  const { input } = decided;
  const agreedOn = {
    transcript: { ...input.transcript, step: lie.step ?? input.transcript.step },
    channel: input.channel,
    agreement: lie.agreement ?? input.agreement,
    listDigests: input.listDigests,
    seedHashes: input.seedHashes,
    modulus: input.modulus,
    maskCommitment: (peer: string) => input.maskCommitment(peer),
    revealSeed: (peer: string) => input.revealSeed(peer),
  };
  const seen = {
    input: agreedOn,
    outcome: lie.outcome === undefined ? decided.outcome : lie.outcome(decided.outcome!),
    cells: lie.cells ?? decided.cells,
    *shareChunks(chunkCells: number) {
      for (const chunk of decided.shareChunks(chunkCells)) yield lie.elements?.(Uint8Array.from(chunk)) ?? chunk;
    },
    blindingShare: () => lie.blinding?.(decided.blindingShare()) ?? decided.blindingShare(),
  };
  return seen as unknown as DecidedInput;
}

/** The sealed share of the party in this place of the roster. */
export function sealed(of: Agreed, place: number, lie: Lie = {}, to = answerKey.publicKey): Uint8Array[] {
  const identity = of.world.identities.get(of.world.roster[place]!)!;
  return Array.from(sealShare(lying(of.decided[place]!, lie), identity, to), (chunk) => Uint8Array.from(chunk));
}

export const expectedOf = (of: Agreed, place: number): ExpectedShare => {
  const party = of.world.roster[place]!;
  return {
    session: of.world.session,
    step: of.step,
    party,
    cells: of.cells,
    modulus: of.modulus,
    activeKeys: [of.world.identities.get(party)!.publicKey],
  };
};

/** What the researcher does with the chunks of one share. */
export function receive(
  of: Agreed,
  place: number,
  chunks: Iterable<Uint8Array>,
  sum = new ShareSum(of.cells, of.modulus),
  elements?: (plain: Uint8Array) => void,
): ReceivedShare {
  const opener = new ShareOpener(expectedOf(of, place), answerKey, sum);
  for (const chunk of chunks) opener.add(chunk, elements);
  return opener.finish();
}

/** Everybody's shares, some of them lies, added up and checked against the ledger. */
export function openAll(of: Agreed, lies: Readonly<Record<number, Lie>> = {}): VerifiedCells {
  const sum = new ShareSum(of.cells, of.modulus);
  const shares = of.inputs.map((_, place) => receive(of, place, sealed(of, place, lies[place]), sum));
  return verifyOpening(combineShares(sum, shares), of.commitments);
}

/** What an honest party states. */
export function statementOf(input: AgreedInput, identity: Identity): SignedBlameStatement {
  const masks = input.channel.peers.map((peer) => input.maskCommitment(peer));
  return makeStatement(input, masks, transcriptHash(input.transcript), identity);
}

/** The case that the researcher puts before the judge, with honest statements and no seeds yet. */
export function blameCase(
  of: Agreed,
  lies: Readonly<Record<number, Lie>> = {},
): BlameCase & {
  readonly shares: Map<string, SuspectShare>;
  readonly statements: Map<string, SignedBlameStatement>;
  readonly seeds: Map<string, Uint8Array>;
} {
  const { world } = of;
  const shares = new Map<string, SuspectShare>();
  const statements = new Map<string, SignedBlameStatement>();
  world.roster.forEach((party, place) => {
    const parts: Uint8Array[] = [];
    const share = receive(of, place, sealed(of, place, lies[place]), undefined, (plain) =>
      parts.push(Uint8Array.from(plain)),
    );
    const { publicKey } = share.header.hello;
    const input = of.inputs[place]!;
    shares.set(party, {
      party,
      publicKey,
      elements: Buffer.concat(parts),
      overflow: of.modulus === 'l' ? new Uint8Array() : input.overflow(),
      blinding: share.blinding,
      signature: share.signature,
    });
    statements.set(party, statementOf(input, world.identities.get(party)!));
  });
  return {
    session: world.session,
    step: of.step,
    cells: of.cells,
    modulus: of.modulus,
    roster: world.roster,
    agreement: of.inputs[0]!.agreement,
    outcome: of.decided[0]!.outcome,
    commitments: of.commitments,
    identityKeys: (party) => [world.identities.get(party)!.publicKey],
    shares,
    statements,
    seeds: new Map(),
  };
}

/**
 * The case of a party that changes its share and states a mask of its pair with `peer` that makes up for it: only that pair
 * contradicts each other.
 */
export function blameCaseOfLiar(of: Agreed, liar: number, peer: number): ReturnType<typeof blameCase> {
  const honest = blameCase(of);
  const lied = blameCase(of, { [liar]: { elements: (share) => addOne(share) } });
  const [party, other] = [of.world.roster[liar]!, of.world.roster[peer]!];
  const change = lied.shares.get(party)!.elements[0]! - honest.shares.get(party)!.elements[0]!;
  const missing = CellVector.fromBigInts([BigInt(maskSign(party, other) * change)]);
  const place = peer - (peer > liar ? 1 : 0);
  restate(of, lied, liar, ({ masks }) => {
    const mask = addCommitments([fromHex(masks[place]!, 32), commitCells(missing, new Uint8Array(32))]);
    return { masks: masks.with(place, toHex(mask)) };
  });
  return lied;
}

/** A party's statement, changed and signed anew. */
export function restate(
  of: Agreed,
  blamed: ReturnType<typeof blameCase>,
  place: number,
  change: (honest: BlameStatement) => Partial<BlameStatement>,
): void {
  const party = of.world.roster[place]!;
  const identity = of.world.identities.get(party)!;
  const honest = blamed.statements.get(party)!.statement;
  const statement = { ...honest, ...change(honest) };
  const signature = toHex(identity.sign(LABEL.blameStatement, canonicalBytes(statement)));
  blamed.statements.set(party, { statement, publicKey: identity.publicKey, signature });
}

/** Another lowest byte for the element at `cell`, which stays canonical. */
export const addOne = (elements: Uint8Array, cell = 0, width = 32): Uint8Array =>
  elements.with(width * cell, elements[width * cell]! === 255 ? 254 : elements[width * cell]! + 1);
