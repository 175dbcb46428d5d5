import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  coalitionSize,
  DEFAULT_FLOOR,
  meetsFloor,
  needsDecision,
  releaseFloor,
  releaseInput,
  releaseRule,
  shortfalls,
  strictest,
  type ReleaseFloor,
  type ReleaseRule,
} from './release.ts';

const insiderRule = fc.constantFrom<boolean | number>(false, true, 1, 2, 3);
const parameters = {
  minimumCell: fc.integer({ min: 1, max: 30 }),
  insiderRule,
  minimumHospitals: fc.integer({ min: 2, max: 6 }),
  zeroCells: fc.constantFrom('open' as const, 'withhold' as const),
  dominance: fc.record({ percent: fc.integer({ min: 1, max: 100 }) }),
};
const rules: fc.Arbitrary<ReleaseRule> = fc.record(parameters, {
  requiredKeys: ['minimumCell', 'insiderRule', 'minimumHospitals', 'zeroCells'],
});
const floors: fc.Arbitrary<ReleaseFloor> = fc.record(parameters, { requiredKeys: [] });

const DEFAULTS: ReleaseRule = { minimumCell: 10, insiderRule: true, minimumHospitals: 3, zeroCells: 'open' };
const OPEN: ReleaseRule = { minimumCell: 1, insiderRule: false, minimumHospitals: 2, zeroCells: 'open' };

describe('a release rule', () => {
  it('has its defaults from what a researcher leaves out, and none on the ledger', () => {
    expect(releaseInput.parse({})).toEqual(DEFAULTS);
    expect(releaseRule.safeParse({ minimumHospitals: 3 }).success).toBe(false);
  });

  it.each([
    { minimumCell: 0 },
    { minimumCell: 1_000_001 },
    { minimumCell: 2.5 },
    { insiderRule: 0 },
    { insiderRule: 4 },
    { minimumHospitals: 1 },
    { zeroCells: 'round' },
    { dominance: {} },
    { dominance: { percent: 0 } },
    { dominance: { percent: 12.5 } },
    { smallestCell: 10 },
  ])('is never %j', (wrong) => {
    expect(releaseInput.safeParse(wrong).success).toBe(false);
    expect(releaseFloor.safeParse(wrong).success).toBe(false);
  });

  it('decides nothing only where every part of it is switched off', () => {
    expect(needsDecision(OPEN)).toBe(false);
    expect(needsDecision(DEFAULTS)).toBe(true);
    const on: Partial<ReleaseRule>[] = [
      { minimumCell: 2 },
      { insiderRule: true },
      { insiderRule: 2 },
      { zeroCells: 'withhold' },
      { dominance: { percent: 1 } },
    ];
    for (const part of on) expect(needsDecision({ ...OPEN, ...part })).toBe(true);
  });

  it('counts coalitions', () => {
    expect([false, true, 1, 2, 3].map((each) => coalitionSize({ insiderRule: each }))).toEqual([0, 1, 1, 2, 3]);
  });
});

describe('floors', () => {
  it('together are met exactly where each is met', () => {
    fc.assert(
      fc.property(rules, fc.array(floors, { maxLength: 4 }), (rule, list) => {
        expect(meetsFloor(rule, strictest(...list))).toBe(list.every((floor) => meetsFloor(rule, floor)));
      }),
    );
  });

  it('are floors themselves, and name only what one of them names', () => {
    fc.assert(
      fc.property(floors, floors, (a, b) => {
        const both = releaseFloor.parse(strictest(a, b));
        expect(new Set(Object.keys(both))).toEqual(new Set([...Object.keys(a), ...Object.keys(b)]));
      }),
    );
  });

  it('are met by a rule that asks for no less than itself', () => {
    fc.assert(fc.property(rules, (rule) => meetsFloor(rule, rule)));
    expect(meetsFloor(OPEN, {})).toBe(true);
    expect(meetsFloor(DEFAULTS, DEFAULT_FLOOR)).toBe(true);
  });

  it('tell each parameter in which a rule asks for less', () => {
    const floor: ReleaseFloor = { ...DEFAULT_FLOOR, insiderRule: 2, zeroCells: 'withhold', dominance: { percent: 10 } };
    expect(shortfalls(OPEN, floor)).toEqual([
      { parameter: 'minimumCell', asked: '1', least: '10' },
      { parameter: 'insiderRule', asked: 'false', least: '2' },
      { parameter: 'zeroCells', asked: '"open"', least: '"withhold"' },
      { parameter: 'dominance', asked: 'nothing', least: '{"percent":10}' },
    ]);
    expect(shortfalls({ ...DEFAULTS, insiderRule: 1 }, { insiderRule: true })).toEqual([]);
  });
});
