import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { CellVector } from '../../mpc/cells.ts';
import { Opening } from '../../mpc/sum/opening.ts';
import { toHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { LABEL } from '../../protocol/labels.ts';
import { outcomeDigest, type Outcome } from '../../protocol/outcome.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { VerificationError } from '../../researcher/result/checks.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { PlayedConsortium, type Played, type ReceiptStep } from './played.ts';

const withRule = {
  statistics: [{ count: {} }, { median: { column: 'age' } }],
  groupBy: [{ column: 'sex' }],
  release: { minimumCell: 5, minimumHospitals: 2 },
};
const withoutRule = { ...withRule, statistics: [{ count: {} }], release: everythingOpens() };
/** The cells of one group open, and its median is 40. */
const decision = {
  released: (cell: number, { cellsPerGroup }: Played['plan']) => cell < cellsPerGroup,
  answers: [[40, -1]],
};

type Decision = NonNullable<ReceiptStep['decision']>;
type Attestation = Decision['attestations'][number];

/**
 * Commitments do not vouch for which cells open, nor for what was found on shares: the signatures of all hospitals do. Here a
 * researcher changes these, and records the digest of the forged opening on the ledger, which nobody else checks.
 */
describe('a researcher that forges what the hospitals decided', () => {
  let consortium: PlayedConsortium;
  beforeAll(async () => {
    consortium = await PlayedConsortium.open();
  });
  afterAll(() => consortium.close());

  const forge = async (
    query: object,
    decided: Parameters<PlayedConsortium['play']>[1],
    outcomeOf: (honest: Outcome | undefined) => Outcome | undefined,
    change: (honest: ReceiptStep, played: Played) => ReceiptStep = (honest) => honest,
  ): Promise<unknown> => {
    const played = await consortium.play(query, decided);
    const { opening, received } = consortium.open(played);
    const outcome = outcomeOf(opening.outcome);
    const closed = outcome === undefined ? undefined : opening.closed;
    const forged = new Opening(opening.cells, opening.blinding, outcome, closed);
    const files = await consortium.record(played, forged, received, (honest) => change(honest, played));
    return verifyAnswer(files).then(
      ({ searched }) => ({ searched }),
      (error: unknown) => error,
    );
  };
  const attest = (change: (honest: readonly Attestation[], step: ReceiptStep, played: Played) => Attestation[]) => {
    return (step: ReceiptStep, played: Played): ReceiptStep => ({
      ...step,
      decision: { ...step.decision!, attestations: change(step.decision!.attestations, step, played) },
    });
  };
  const refused = expect.objectContaining({ name: VerificationError.name, check: 'decision' }) as unknown;
  const same = (honest: Outcome | undefined): Outcome | undefined => honest;
  const otherMedian = (honest: Outcome | undefined): Outcome => ({ ...honest!, answers: [[41, -1]] });

  test('is what these tests compare with: the honest one is believed', async () => {
    expect(await forge(withRule, decision, same)).toEqual({ searched: 1 });
  });

  test('by another median is found out', async () => {
    expect(await forge(withRule, decision, otherMedian)).toEqual(refused);
  });

  test('by another median, under signatures of its own, is found out', async () => {
    const { identity } = consortium.member('researcher');
    const sign = attest((honest, { decision: of, cells }, { session }) => {
      const { agreement, outcome } = of!;
      const statement = { session, step: 0, agreement, outcome: outcomeDigest(outcome), cells: cells.length };
      const signature = toHex(identity.sign(LABEL.shareStatement, canonicalBytes(statement)));
      return honest.map(() => ({ publicKey: identity.publicKey, signature }));
    });
    expect(await forge(withRule, decision, otherMedian, sign)).toEqual(refused);
  });

  test('of one hospital by the word of another is found out', async () => {
    const copy = attest(([first, second]) => [first!, second!, second!]);
    expect(await forge(withRule, decision, same, copy)).toEqual(refused);
  });

  test.each([
    ['too few', attest((honest) => honest.slice(0, 2))],
    ['too many', attest((honest) => [...honest, honest[0]!])],
  ])('by %s signatures is found out', async (_, change) => {
    expect(await forge(withRule, decision, same, change)).toEqual(refused);
  });

  test('as if there had been nothing to decide is found out', async () => {
    const allOpen = { ...withRule, statistics: [{ count: {} }] };
    const nothing = (): undefined => undefined;
    expect(await forge(allOpen, { released: () => true }, nothing)).toEqual(refused);
  });

  test('as if there had been something to decide is found out', async () => {
    // Sums that are large have shares mod l, which could have come with a decision.
    const large = { ...withoutRule, statistics: [{ variance: { column: 'paid' } }] };
    expect(await forge(large, { released: () => true }, same)).toEqual(refused);
  });

  const written = (check: string): unknown =>
    expect.objectContaining({ name: VerificationError.name, check }) as unknown;

  test('and writes a withheld cell as zero, or a response too many, has written no receipt', async () => {
    const zero = (step: ReceiptStep): ReceiptStep => ({ ...step, cells: step.cells.map((cell) => cell ?? '0') });
    expect(await forge(withRule, decision, same, zero)).toEqual(written('receipt'));
    const longer = (step: ReceiptStep): ReceiptStep => {
      const responses = Buffer.concat([Buffer.from(step.decision!.responses, 'base64'), Buffer.alloc(32)]);
      return { ...step, decision: { ...step.decision!, responses: responses.toString('base64') } };
    };
    expect(await forge(withRule, decision, same, longer)).toEqual(written('receipt'));
  });

  test('or appends a cell of zero, which every commitment vouches for, gives no answer to the query', async () => {
    const played = await consortium.play(withoutRule);
    const { opening, received } = consortium.open(played);
    const longer = new Opening(CellVector.fromBigInts([...opening.cells.toBigInts(), 0n]), opening.blinding);
    const files = await consortium.record(played, longer, received);
    expect(await verifyAnswer(files).catch((error: unknown) => error)).toEqual(written('result'));
  });
});
