import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { renderDocument, type ReceiptDocument } from '../../researcher/result/documents.ts';
import { VerificationError } from '../../researcher/result/checks.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { PlayedConsortium } from './played.ts';

const query = { statistics: [{ count: {} }], groupBy: [{ column: 'sex' }], release: everythingOpens() };
const other = 'c'.repeat(64);

describe('a receipt that its researcher changed', () => {
  let consortium: PlayedConsortium;
  let files: { receipt: string; ledger: string };
  let receipt: ReceiptDocument;
  let earlier: ReceiptDocument;

  beforeAll(async () => {
    consortium = await PlayedConsortium.open();
    const answer = async (): Promise<typeof files> => {
      const played = await consortium.play(query);
      const { opening, received } = consortium.open(played);
      return consortium.record(played, opening, received);
    };
    earlier = JSON.parse((await answer()).receipt) as ReceiptDocument;
    files = await answer();
    receipt = JSON.parse(files.receipt) as ReceiptDocument;
  });
  afterAll(() => consortium.close());

  const verify = (changed: ReceiptDocument): Promise<unknown> =>
    verifyAnswer({ ...files, receipt: renderDocument(changed) }).then(
      () => 'verified',
      (error: unknown) => error,
    );
  const refused = (check: string, why: RegExp): unknown =>
    expect.objectContaining({
      name: VerificationError.name,
      check,
      message: expect.stringMatching(why) as unknown,
    }) as unknown;

  test('in nothing verifies', async () => {
    expect(await verify(receipt)).toBe('verified');
  });

  test.each([
    ['of another consortium', { consortium: other }, /another ledger/],
    ['under another operator', { operatorKey: other }, /another ledger/],
    ['with another history', { root: other }, /another history/],
    ['longer than the export', { size: 1000 }, /another history/],
  ])('as made on a ledger %s is refused', async (_, change, why) => {
    const { ledger } = receipt;
    expect(await verify({ ...receipt, ledger: { ...ledger, ...change } })).toEqual(refused('receipt', why));
  });

  test.each([
    ['unknown', () => ({ query: other }), /does not hold the session/],
    ['that another session answered', () => ({ query: earlier.query }), /does not hold the session/],
  ])('to be of a query %s is refused', async (_, change, why) => {
    expect(await verify({ ...receipt, ...change() })).toEqual(refused('authorization', why));
  });

  test('to be of hospitals that took no part is refused', async () => {
    const hospitals = [...receipt.hospitals.slice(1), 'hospital-900'];
    expect(await verify({ ...receipt, hospitals })).toEqual(refused('authorization', /other hospitals/));
  });

  test('to have a step more than the session is refused', async () => {
    const steps = [earlier.steps[0]!, ...receipt.steps];
    expect(await verify({ ...receipt, steps })).toEqual(refused('authorization', /another number of steps/));
  });

  test('in the digest that it claims is refused', async () => {
    const steps = [{ ...receipt.steps[0]!, result: other }];
    expect(await verify({ ...receipt, steps })).toEqual(refused('record', /digest in the receipt/));
  });

  test('against the digest on the ledger is refused, though it fits itself and the commitments', async () => {
    const played = await consortium.play(query);
    const { opening, received } = consortium.open(played);
    const claimed = Object.assign(Object.create(opening) as typeof opening, { digest: () => other });
    const changed = await consortium.record(played, claimed, received, (step) => ({
      ...step,
      result: opening.digest(played.session, 0),
    }));
    const error: unknown = await verifyAnswer(changed).catch((each: unknown) => each);
    expect(error).toEqual(refused('record', /not those recorded on the ledger/));
  });

  test('of a session that did not complete is refused', async () => {
    const played = await consortium.play(query);
    const { opening, received } = consortium.open(played);
    const aborted = { type: 'abortSession', session: played.session, reason: 'DROP_OUT' } as const;
    await consortium.ledger.submit(consortium.member('relay'), aborted);
    const changed = await consortium.write(played, opening, received);
    const error: unknown = await verifyAnswer(changed).catch((each: unknown) => each);
    expect(error).toEqual(refused('authorization', /did not complete/));
  });
});
