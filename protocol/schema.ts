import { z } from 'zod';
import { hashDocument } from './canonical.ts';
import { toHex } from './bytes.ts';
import { consentRule, type ConsentRule, type EveryMonths } from './consent.ts';
import { LABEL } from './labels.ts';
import { columnName, datasetName } from './names.ts';
import { releaseFloor } from './release.ts';

/** A decimal number as text, so that no float ever stands between a bound and the data: "0", "-2.6". */
export const decimalText = z
  .string()
  .regex(/^-?(0|[1-9][0-9]{0,17})(\.[0-9]{1,30})?$/, 'expected a decimal number as text, as "-2.6"');

/** With more, 10^decimals would not be exact beside 53 bits of a double. */
export const MOST_DECIMALS = 15;

/** A code of a categorical column, as it appears in group keys. */
export const code = z.string().min(1).max(64);

const common = {
  name: columnName,
  description: z.string().max(500).optional(),
};

/**
 * A number with a fixed scale: every value is an integer multiple of 10^-decimals within [minimum, maximum].
 * `codes`, where given, lists all values that occur (canonical decimal text), so that one may group by them. `rounded`: the
 * column's values have more decimals than a schema holds, as measured or computed ones do. Each is rounded to the nearest
 * multiple, and so is what a query compares it with; without it, such a value is an error.
 */
export const numberColumn = z.strictObject({
  ...common,
  type: z.literal('number'),
  decimals: z.int().min(0).max(MOST_DECIMALS),
  rounded: z.boolean().optional(),
  minimum: decimalText,
  maximum: decimalText,
  unit: z.string().max(40).optional(),
  codes: z.array(decimalText).min(1).max(1000).optional(),
});

/** One of a list of codes. `labels` are for people: code to words. */
export const categoryColumn = z.strictObject({
  ...common,
  type: z.literal('category'),
  codes: z.array(code).min(1).max(10_000),
  labels: z.record(z.string(), z.string().max(200)).optional(),
});

/** An identifier of a patient or case: never grouped by, compared, summed or shown. */
export const identifierColumn = z.strictObject({ ...common, type: z.literal('identifier') });

export const column = z.discriminatedUnion('type', [numberColumn, categoryColumn, identifierColumn]);

/**
 * Credits for one completed query: `each` hospital of its roster gets so many, or all of them together, in `equal`
 * parts. Whole numbers: what does not divide goes, one credit each, to hospitals in turn from a place that the session id
 * decides.
 */
export const contributionRule = z.strictObject({
  creditsPerQuery: z.int().min(1).max(1_000_000_000),
  split: z.enum(['equal', 'each']),
});
export type ContributionRule = z.infer<typeof contributionRule>;

/** How many queries a researcher may submit on the dataset, whatever becomes of them. */
export const budgetRule = z.strictObject({ queriesPerResearcher: z.int().min(0).max(1_000_000) });

export const MOST_COLUMNS = 500;

/**
 * The logical table that every hospital maps its own data to. Public: the group-by domain, bounds and scales follow
 * from it alone. Registered on the ledger; a change is a new version.
 */
export const datasetSchema = z
  .strictObject({
    dataset: datasetName,
    version: z.int().min(1).max(999_999),
    description: z.string().max(2000).optional(),
    columns: z.array(column).min(1).max(MOST_COLUMNS),
    release: releaseFloor.optional(),
    /** What the use of records rests on; `none` unless it is given. */
    consent: consentRule.optional(),
    /** What a completed query credits to its hospitals; nothing unless it is given. */
    contribution: contributionRule.optional(),
    /** Of the newest version, for the dataset; no limit unless it is given. */
    budget: budgetRule.optional(),
  })
  .superRefine((schema, context) => {
    const seen = new Set<string>();
    schema.columns.forEach((each, index) => {
      const issue = (message: string): void => context.addIssue({ code: 'custom', path: ['columns', index], message });
      // SQL does not tell names apart by case.
      if (seen.has(each.name.toLowerCase())) issue(`column ${each.name} is named twice`);
      seen.add(each.name.toLowerCase());
      if (each.type === 'identifier') return;
      if (each.codes !== undefined && new Set(each.codes).size !== each.codes.length) issue('a code is listed twice');
      if (each.type !== 'number') return;
      // zod comes here even after a pattern or a range failed, which is an issue by then: 10n ** decimals must not run.
      if (!numberColumn.safeParse(each).success) return;
      const texts = [each.minimum, each.maximum, ...(each.codes ?? [])];
      if (texts.some((text) => !fitsScale(text, each.decimals))) {
        issue(`a bound or code has more than ${each.decimals} decimals`);
        return;
      }
      if (each.codes?.some((text) => unscaleDecimal(scaleDecimal(text, each.decimals), each.decimals) !== text)) {
        issue('a code is not in canonical form: "1.50" is "1.5", "-0" is "0"');
      }
      const [minimum, maximum, ...codes] = texts.map((text) => scaleDecimal(text, each.decimals));
      if (minimum! > maximum!) issue('minimum is above maximum');
      if (codes.some((value) => value < minimum! || value > maximum!)) issue('a code lies outside the bounds');
      if (maximum! >= 2n ** 50n || minimum! <= -(2n ** 50n)) issue('bounds times 10^decimals must lie within 2^50');
    });
  });

export type DatasetSchema = z.infer<typeof datasetSchema>;
export type Column = z.infer<typeof column>;
export type NumberColumn = z.infer<typeof numberColumn>;
export type CategoryColumn = z.infer<typeof categoryColumn>;

/** The dataset's rule of consent with its defaults. */
export const consentRuleOf = (
  schema: Pick<DatasetSchema, 'consent'>,
): { readonly basis: ConsentRule['basis']; readonly everyMonths: EveryMonths } => ({
  basis: schema.consent?.basis ?? 'none',
  everyMonths: schema.consent?.everyMonths ?? 1,
});

/** `heart@1` */
export const schemaReference = (schema: Pick<DatasetSchema, 'dataset' | 'version'>): string =>
  `${schema.dataset}@${schema.version}`;

export const schemaDigest = (schema: DatasetSchema): string => toHex(hashDocument(LABEL.schema, schema));

const fitsScale = (text: string, decimals: number): boolean =>
  (text.split('.')[1] ?? '').replace(/0+$/, '').length <= decimals;

/** The integer value * 10^decimals of decimal text; the text has at most that many significant decimals. */
export function scaleDecimal(text: string, decimals: number): bigint {
  const negative = text.startsWith('-');
  const [whole = '0', fraction = ''] = (negative ? text.slice(1) : text).split('.');
  const scaled =
    BigInt(whole) * 10n ** BigInt(decimals) + BigInt(fraction.slice(0, decimals).padEnd(decimals, '0') || '0');
  return negative ? -scaled : scaled;
}

/** Canonical decimal text of `scaled` / 10^decimals: no trailing zeros, no "-0". */
export function unscaleDecimal(scaled: bigint, decimals: number): string {
  const sign = scaled < 0n ? '-' : '';
  const digits = (scaled < 0n ? -scaled : scaled).toString().padStart(decimals + 1, '0');
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, '');
  const whole = digits.slice(0, digits.length - decimals);
  return sign + whole + (decimals > 0 && fraction !== '' ? `.${fraction}` : '');
}
