import { z } from 'zod';

const minimumCell = z.int().min(1).max(1_000_000);
const insiderRule = z.union([z.boolean(), z.int().min(1).max(3)]);
const minimumHospitals = z.int().min(2).max(1000);
const zeroCells = z.enum(['open', 'withhold']);
const dominance = z.strictObject({ percent: z.int().min(1).max(100) });

/**
 * Which counts may open, as it stands on the ledger: every default spelled out. A count that fails takes with it
 * every number that rests on it.
 */
export const releaseRule = z.strictObject({
  /** The smallest count that opens. */
  minimumCell,
  /**
   * What any coalition of this many hospitals finds by taking its own share off is zero or reaches `minimumCell` too;
   * `true` stands for coalitions of one, `false` for none.
   */
  insiderRule,
  /** Fewest hospitals that take part in the answer. */
  minimumHospitals,
  /** Whether a count of zero opens, or is withheld as a small one. */
  zeroCells,
  /** Of every sum: all values but the two largest make up at least this part of the largest, in size. */
  dominance: dominance.optional(),
});
export type ReleaseRule = z.infer<typeof releaseRule>;

/** As a researcher writes it; what is left out takes the default. */
export const releaseInput = z.strictObject({
  minimumCell: minimumCell.default(10),
  insiderRule: insiderRule.default(true),
  minimumHospitals: minimumHospitals.default(3),
  zeroCells: zeroCells.default('open'),
  dominance: dominance.optional(),
});

/** The floors that a dataset or a site sets; what is not named is not restricted further. */
export const releaseFloor = z.strictObject({
  minimumCell: minimumCell.optional(),
  insiderRule: insiderRule.optional(),
  minimumHospitals: minimumHospitals.optional(),
  zeroCells: zeroCells.optional(),
  dominance: dominance.optional(),
});
export type ReleaseFloor = z.infer<typeof releaseFloor>;

/** The floors of a site that names none: closed where a number could tell of few people. */
export const DEFAULT_FLOOR = { minimumCell: 10, insiderRule: true, minimumHospitals: 2 } satisfies ReleaseFloor;

/** Hospitals that may put what they know together, and still find no small count. */
export const coalitionSize = (rule: Pick<ReleaseFloor, 'insiderRule'>): number => Number(rule.insiderRule ?? false);

/** Whether there is anything to decide: without it every cell opens, whatever its size. */
export const needsDecision = (rule: ReleaseRule): boolean =>
  rule.minimumCell > 1 || coalitionSize(rule) > 0 || rule.zeroCells === 'withhold' || rule.dominance !== undefined;

/** How strict a rule is in each of its parameters: the larger, the stricter. */
const STRICTNESS = {
  minimumCell: (of: ReleaseFloor) => of.minimumCell ?? 1,
  insiderRule: coalitionSize,
  minimumHospitals: (of: ReleaseFloor) => of.minimumHospitals ?? 2,
  zeroCells: (of: ReleaseFloor) => (of.zeroCells === 'withhold' ? 1 : 0),
  dominance: (of: ReleaseFloor) => of.dominance?.percent ?? 0,
} as const;

export type ReleaseParameter = keyof typeof STRICTNESS;
const PARAMETERS = Object.keys(STRICTNESS) as ReleaseParameter[];

/** The floor that is met exactly where all of them are. */
export function strictest(...floors: readonly ReleaseFloor[]): ReleaseFloor {
  const entries = PARAMETERS.flatMap((name) => {
    const [first, ...others] = floors.filter((floor) => floor[name] !== undefined);
    if (first === undefined) return [];
    const strict = others.reduce((a, b) => (STRICTNESS[name](b) > STRICTNESS[name](a) ? b : a), first);
    return [[name, strict[name]]];
  });
  return Object.fromEntries(entries) as ReleaseFloor;
}

/** A parameter in which a rule asks for less than a floor, with both values in words. */
export interface Shortfall {
  readonly parameter: ReleaseParameter;
  readonly asked: string;
  readonly least: string;
}

/** Where a rule stays below a floor; empty if nowhere. */
export const shortfalls = (rule: ReleaseRule, floor: ReleaseFloor): Shortfall[] =>
  PARAMETERS.filter((parameter) => STRICTNESS[parameter](rule) < STRICTNESS[parameter](floor)).map((parameter) => ({
    parameter,
    asked: inWords(rule, parameter),
    least: inWords(floor, parameter),
  }));

export const meetsFloor = (rule: ReleaseRule, floor: ReleaseFloor): boolean => shortfalls(rule, floor).length === 0;

/** A value as it is written in JSON. */
function inWords(of: ReleaseFloor, parameter: ReleaseParameter): string {
  const value = of[parameter];
  return value === undefined ? 'nothing' : JSON.stringify(value);
}

/** The one form of a rule: coalitions of one are written `true`. */
export const canonicalRule = (rule: ReleaseRule): ReleaseRule =>
  rule.insiderRule === 1 ? { ...rule, insiderRule: true } : rule;
