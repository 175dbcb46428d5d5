import { beforeAll, describe, expect, test } from 'vitest';
import type { Ledger, Member } from '../../ledger/ledger.ts';
import { elementBytes } from '../../mpc/masks.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { chunkCells } from '../../mpc/sum/share.ts';
import { toHex } from '../../protocol/bytes.ts';
import { twoSharesEvidence, twoSharesShow } from '../../mpc/sum/two-shares.ts';
import { canonicalBytes, checkDocument } from '../../protocol/canonical.ts';
import { Fault } from '../../protocol/errors.ts';
import type { PullRequest } from '../../protocol/frame.ts';
import type { Action } from '../../protocol/ledger.ts';
import type { SessionRecord } from '../../protocol/records.ts';
import { findCheat, type BlameFound } from '../../researcher/blame.ts';
import { CoordinatorClient } from '../../researcher/coordinator.ts';
import { fetchShare, fetchShares, type ShareRequest } from '../../researcher/shares.ts';
import { expectAbort, flipBit } from './attack.ts';
import { addOne, agreed, answerKey, MODULI, sealed, statementOf, type Agreed, type Lie } from './shares.ts';

/** What of a pull passes, and what of a share; throws to break the line. */
interface Script {
  readonly share?: (place: number, time: number) => Lie | undefined;
  /** Called before each chunk. */
  readonly chunk?: (place: number, time: number, chunk: number) => unknown;
  readonly pull?: (place: number, request: PullRequest, honest: Uint8Array) => Uint8Array;
}

/** A coordinator in memory, between the researcher's own code and hospitals that answer as their script says. */
class Line extends CoordinatorClient {
  readonly #of: Agreed;
  readonly #script: Script;
  readonly #times = new Map<number, number>();

  constructor(of: Agreed, script: Script) {
    super('http://127.0.0.1:9');
    this.#of = of;
    this.#script = script;
  }

  override async share(_: Member, __: object, hospital: string, take: (chunk: Uint8Array) => void): Promise<void> {
    const place = this.#of.world.roster.indexOf(hospital);
    const time = this.#times.get(place) ?? 0;
    this.#times.set(place, time + 1);
    await Promise.resolve();
    sealed(this.#of, place, this.#script.share?.(place, time)).forEach((chunk, i) => {
      this.#script.chunk?.(place, time, i);
      take(chunk);
    });
  }

  override async pull(
    _: Member,
    request: PullRequest,
    hospital: string,
    __: AbortSignal,
    limit: number,
  ): Promise<Uint8Array> {
    const place = this.#of.world.roster.indexOf(hospital);
    const input = this.#of.inputs[place]!;
    await Promise.resolve();
    const statement = (): Uint8Array => canonicalBytes(statementOf(input, this.#of.world.identities.get(hospital)!));
    const honest =
      request.kind === 'statement'
        ? statement()
        : request.kind === 'overflow'
          ? input.overflow()
          : input.revealSeed((request as { peer: string }).peer);
    const answer = this.#script.pull?.(place, request, honest) ?? honest;
    expect(answer.length).toBeLessThanOrEqual(limit);
    return answer;
  }
}

describe.each(MODULI)('mod %s', (modulus) => {
  let step: Agreed;
  /** Two chunks to a share. */
  const cells = chunkCells(modulus) + 10;
  beforeAll(async () => {
    const values = Array.from({ length: cells }, (_, j) => BigInt(j));
    step = await agreed([values, values, values], { modulus });
  });

  const requestOf = (): ShareRequest => ({
    ...{ session: step.world.session, step: 0, cells, modulus, roster: step.world.roster, answerKey },
    activeKeys: (party) => [step.world.identities.get(party)!.publicKey],
    member: { organisation: 'researcher', identity: step.world.identities.get(step.world.roster[0]!)! },
    signal: AbortSignal.timeout(60_000),
  });
  const recorded: Action[] = [];

  /** Fetches all shares and looks for the cheat, as the researcher does when their sum does not verify. */
  async function find(script: Script): Promise<BlameFound & { last: Action | undefined }> {
    recorded.length = 0;
    const line = new Line(step, script);
    const ledger = {
      submit: (_: unknown, action: Action) => Promise.resolve(recorded.push(action)),
    } as unknown as Ledger;
    const session = {
      id: step.world.session,
      roster: step.world.roster,
      commitments: [Object.fromEntries(step.world.roster.map((party, i) => [party, toHex(step.commitments[i]!)]))],
    } as unknown as SessionRecord;
    const { shares } = await fetchShares(line, requestOf());
    return { ...(await findCheat(ledger, line, requestOf(), session, shares)), last: recorded.at(-1) };
  }
  const breakLine = (): never => {
    throw new Fault('NETWORK', 'the line broke');
  };
  const cheat = 2;
  const wrong: Lie = { elements: (honest) => addOne(honest) };
  const party = (place: number): string => step.world.roster[place]!;
  const blames = (place: number, reason: string): unknown =>
    expect.objectContaining({ type: 'abortSession', blame: party(place), reason });

  function expectTwoShares({ evidence, last }: Awaited<ReturnType<typeof find>>): void {
    const document = checkDocument(twoSharesEvidence, evidence, { what: 'evidence' });
    expect(document.blamed).toBe(party(cheat));
    expect(twoSharesShow(document, requestOf().activeKeys(party(cheat)))).toBe(true);
    expect(twoSharesShow(document, requestOf().activeKeys(party(0)))).toBe(false);
    expect(last).toEqual(blames(cheat, 'VERIFICATION_FAILED'));
  }

  test('a wrong share is named, whatever its sender and the line do', async () => {
    const found = await find({ share: (place) => (place === cheat ? wrong : undefined) });
    expect(found.error).toMatchObject({ code: 'VERIFICATION_FAILED', party: party(cheat) });
    expect(found.evidence).toMatchObject({ blamed: party(cheat), check: 'SHARE_WRONG' });
    expect(found.last).toEqual(blames(cheat, 'VERIFICATION_FAILED'));
  });

  test('a line that breaks while an honest share is fetched again changes nothing', async () => {
    const found = await find({
      share: (place) => (place === cheat ? wrong : undefined),
      chunk: (place, time, chunk) => place === 1 && time === 1 && chunk === 2 && breakLine(),
    });
    expect(found.evidence).toMatchObject({ blamed: party(cheat), check: 'SHARE_WRONG' });
  });

  test('the silence of another does not hide it', async () => {
    const found = await find({
      share: (place) => (place === cheat ? wrong : undefined),
      pull: (place, _, honest) => (place === 0 ? new Uint8Array() : honest),
    });
    expect(found.last).toEqual(blames(cheat, 'VERIFICATION_FAILED'));
  });

  test('a hospital that signs one share for the sum and another for the search is named by its two signatures', async () => {
    const found = await find({ share: (place, time) => (place === cheat && time === 0 ? wrong : undefined) });
    expectTwoShares(found);
  });
  test('and so is one that signs another agreement for the same share', async () => {
    const other: Lie = { agreement: new Uint8Array(32).fill(7) };
    const found = await find({ share: (place, time) => (place === cheat && time === 1 ? other : undefined) });
    expect(found.evidence).toMatchObject({ format: 'healthchain-two-shares/1', blamed: party(cheat) });
  });

  test('a share that breaks off and begins otherwise when it is fetched again is refused', async () => {
    const line = new Line(step, {
      share: (place, time) => (place === cheat && time === 0 ? wrong : undefined),
      chunk: (place, time, chunk) => place === cheat && time === 0 && chunk === 2 && breakLine(),
    });
    const error: unknown = await fetchShares(line, requestOf()).catch((each: unknown) => each);
    expectAbort(
      () => {
        throw error;
      },
      'FORGED_SHARE',
      party(cheat),
    );
    expect((error as Error).message).toMatch(/begins otherwise/);
  });
  test.each([1, 2, 3])('a share that breaks off after chunk %i is added once', async (broken) => {
    const sum = new ShareSum(cells, modulus);
    const line = new Line(step, {
      chunk: (_, time, chunk) => time < 2 && chunk === broken + time && breakLine(),
    });
    for (const hospital of step.world.roster) await fetchShare(line, requestOf(), hospital, sum);
    expect([0, 1, cells - 1].map((cell) => sum.cells().at(cell))).toEqual([0n, 3n, 3n * BigInt(cells - 1)]);
  });

  const kinds = modulus === 'l' ? (['statement'] as const) : (['statement', 'overflow'] as const);
  test.each(kinds)('a relay that alters the %s of an honest hospital makes no evidence against it', async (kind) => {
    const found = await find({
      pull: (place, { kind: asked }, honest) => (place === 1 && asked === kind ? flipBit(honest, 4000) : honest),
    });
    expect(found.last).toEqual(blames(1, 'BLAME_REFUSED'));
    expect(found.evidence).toMatchObject({ check: 'STATEMENT_MISSING' });
  });
  test('a hospital that keeps its share back the second time is named as one that would not help', async () => {
    const found = await find({ share: (place, time) => (place === cheat && time === 1 ? { step: 1 } : undefined) });
    expect(found.last).toEqual(blames(cheat, 'BLAME_REFUSED'));
  });
  test('nobody is named when all shares and statements hold', async () => {
    const found = await find({});
    expect(found.error.party).toBeUndefined();
    expect(recorded).toEqual([expect.objectContaining({ type: 'abortSession', reason: 'VERIFICATION_FAILED' })]);
    expect(elementBytes(modulus) * cells).toBeGreaterThan(256 * 1024);
  });
});
