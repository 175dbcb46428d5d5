import { describe, test } from 'vitest';
import { anna, bert, expectError, expectNoShares, mallory, runStep, threeHospitals } from './attack.ts';

describe('a ledger that shows its members different entries', () => {
  test.each([
    ['root', { size: 7, root: 'f'.repeat(64) }],
    ['size', { size: 8, root: '7'.repeat(64) }],
  ])('is noticed in the hello when the %s differs, by both sides, and nothing goes on', async (_, ledger) => {
    const outcomes = await runStep(threeHospitals(), {
      setting: (party, honest) => (party === mallory ? { ...honest, ledger } : honest),
    });
    expectError(outcomes, anna, 'Abort', 'LEDGER_FORK', mallory);
    expectError(outcomes, bert, 'Abort', 'LEDGER_FORK', mallory);
    expectError(outcomes, mallory, 'Abort', 'LEDGER_FORK', anna);
    expectNoShares(outcomes, anna, bert);
  });

  test('with other hospitals in the session ends without a share', async () => {
    const outcomes = await runStep(threeHospitals(), {
      setting: (party, honest) => (party === mallory ? { ...honest, roster: [anna, mallory] } : honest),
      transcript: (party, honest) =>
        party === mallory
          ? { ...honest, roster: [anna, mallory], commitments: honest.commitments.toSpliced(1, 1) }
          : honest,
    });
    expectNoShares(outcomes, anna, bert);
  });
});
