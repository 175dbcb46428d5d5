import { MOST_DECIMALS, scaleDecimal, type NumberColumn } from '../../protocol/schema.ts';
import type { ColumnRule } from './config.ts';
import { markerNumbers, missingNumber, textOf, writtenByPeople } from './missing.ts';
import type { Reading } from './readings.ts';
import { literal } from './text.ts';

/** v as j / 10^scale, in SQL. Of the conditions, NULL counts as false. */
interface Scaled {
  readonly scale: number;
  /** j */
  readonly scaled: string;
  /** j before rounding, where it is computed in floating point. */
  readonly product?: string;
  /** v is a number at all. */
  readonly known: string;
  /** j can be held. */
  readonly held: string;
  /** Nothing was rounded. */
  readonly exact: string;
  /** Of text: implies `known`, `held` and `exact`, and costs less. */
  readonly quick?: string;
  /** Whether j is computed as DOUBLE (then it is cast at the end) or as an integer type. */
  readonly floating: boolean;
}

const INTEGERS = /^(TINYINT|SMALLINT|INTEGER|BIGINT|UTINYINT|USMALLINT|UINTEGER)$/;
const LIMIT = 2n ** 50n;
/** Products up to here fit HUGEINT. */
const HELD = 10n ** 37n;

/** Integers stay below 2^50, so that DOUBLE holds j and 10^scale exactly and their quotient is correctly rounded. */
export function numberReading(column: NumberColumn, raw: string, type: string, rule: ColumnRule): Reading {
  const factor = fraction(rule.multiply);
  const source = scaledOf(column, raw, type, rule, factor);
  const missing = missingNumber(raw, type, rule);
  // value = j * factor.numerator * 10^shift
  const shift = column.decimals - source.scale - factor.decimals;
  const multiplier = factor.numerator * power(Math.max(shift, 0));
  const divisor = power(Math.max(-shift, 0));
  const plain = multiplier === 1n && divisor === 1n;

  const wide = plain ? source.scaled : `(TRY_CAST(${source.scaled} AS HUGEINT) * ${multiplier})`;
  const whole = divisor === 1n ? 'true' : `${wide} % ${divisor} = 0`;
  const result = divisor === 1n ? wide : `(${wide} // ${divisor})`;
  const between = (low: bigint, high: bigint): string =>
    source.floating && plain
      ? `${result} BETWEEN ${low}::DOUBLE AND ${high}::DOUBLE`
      : `${result} BETWEEN ${low} AND ${high}`;
  const [low, high] = [scaleDecimal(column.minimum, column.decimals), scaleDecimal(column.maximum, column.decimals)];
  // Where j is so large that the value cannot be within bounds, CASE stops before the product overflows.
  const largest = (LIMIT * divisor < HELD ? LIMIT * divisor : HELD) / multiplier;
  const inRange = plain ? source.held : `(${source.held} AND abs(${source.scaled}) <= ${largest})`;
  const codes = column.codes?.map((text) => scaleDecimal(text, column.decimals));
  const listed = codes === undefined ? 'true' : `${result} IN (${codes.map(String).join(', ')})`;

  // Most rows of a text column pass this cheap test; only what it does not settle is looked at closely.
  const quick =
    source.quick === undefined || !plain ? undefined : `${source.quick} AND ${between(low, high)} AND ${listed}`;
  // The cast rounds to the nearest integer by itself, and the product of a verified value is within 1/4 of it.
  const cast = plain ? (source.product ?? result) : result;
  const integer = source.floating || !plain ? `TRY_CAST(${cast} AS BIGINT)` : result;
  const hasMarkers = markerNumbers(rule).length > 0;
  return {
    value: hasMarkers ? `CASE WHEN ${missing} THEN NULL ELSE ${integer} END` : integer,
    missing,
    misfit: `CASE ${quick === undefined ? '' : `WHEN ${raw} IS NULL OR (${quick}) THEN false `}WHEN ${missing} THEN false WHEN NOT coalesce(${source.exact} AND ${inRange}, false) THEN true ELSE NOT coalesce(${whole} AND ${between(low, high)} AND ${listed}, false) END`,
    rule: `CASE WHEN NOT coalesce(${source.known}, false) THEN 'number' WHEN NOT coalesce(${inRange}, false) THEN 'bounds' WHEN NOT coalesce(${source.exact} AND ${whole}, false) THEN 'decimals' WHEN NOT (${between(low, high)}) THEN 'bounds' ELSE 'code' END`,
  };
}

function scaledOf(
  column: NumberColumn,
  raw: string,
  type: string,
  rule: ColumnRule,
  factor: { decimals: number; numerator: bigint },
): Scaled {
  const whole = { scale: 0, known: 'true', held: 'true', exact: 'true', floating: false };
  if (INTEGERS.test(type) || type === 'BOOLEAN') {
    return { ...whole, scaled: `CAST(${raw} AS BIGINT)` };
  }
  if (type === 'UBIGINT' || type === 'HUGEINT' || type === 'UHUGEINT') {
    const scaled = `TRY_CAST(${raw} AS BIGINT)`;
    return { ...whole, scaled, held: `${scaled} IS NOT NULL` };
  }
  const decimal = /^DECIMAL\((\d+),(\d+)\)$/.exec(type);
  if (decimal !== null && Number(decimal[1]) + Number(decimal[2]) < 38) {
    const [width, scale] = [Number(decimal[1]), Number(decimal[2])];
    // DuckDB multiplies two decimals of up to 18 digits in 64 bits, and fails beyond; a factor of 19 digits makes it 128.
    const digits = width + scale < 18 ? scale + 1 : 19;
    // With more decimals than the schema has, j may be longer than the value that it stands for.
    const integer = scale > column.decimals ? 'HUGEINT' : 'BIGINT';
    const scaled = `TRY_CAST(${raw} * CAST(${power(scale)} AS DECIMAL(${digits},0)) AS ${integer})`;
    return { ...whole, scale, scaled, held: `${scaled} IS NOT NULL` };
  }
  const scale = factor.decimals === 0 && factor.numerator === 1n ? column.decimals : finestScale(column, rule.multiply);
  const ten = `${power(scale)}::DOUBLE`;
  if (type === 'DOUBLE') {
    const product = `${raw} * ${ten}`;
    const scaled = `round(${product})`;
    return {
      scale,
      product,
      scaled,
      exact: `${scaled} / ${ten} = ${raw}`,
      known: `isfinite(${raw})`,
      held: 'true',
      floating: true,
    };
  }
  if (type === 'FLOAT') {
    const scaled = `round(CAST(${raw} AS DOUBLE) * ${ten})`;
    // A 32-bit float tells decimals apart only while they have few digits.
    const exact = `abs(${scaled}) <= 4194304 AND CAST(${scaled} / ${ten} AS FLOAT) = ${raw}`;
    return { scale, scaled, exact, known: `isfinite(${raw})`, held: 'true', floating: true };
  }
  return scaledText(textOf(raw, type, rule), scale);
}

/**
 * Decimal text. Up to 15 characters, two different decimals never share a double, so the rule for doubles is exact;
 * a longer text must show by its digits that it has no more decimals than declared.
 */
function scaledText(text: string, scale: number): Scaled {
  const ten = `${power(scale)}::DOUBLE`;
  const double = `TRY_CAST(${text} AS DOUBLE)`;
  const product = `${double} * ${ten}`;
  const scaled = `round(${product})`;
  const rational = `${scaled} / ${ten} = ${double}`;
  const digits = literal(`\\s*[+-]?[0-9]*\\.?[0-9]{0,${scale}}0*\\s*`);
  const exponent = `'\\s*[+-]?0*[0-9]?\\.?[0-9]{0,14}0*[eE][+-]?[0-9]{1,3}\\s*'`;
  const written = writtenByPeople(text);
  return {
    scale,
    product,
    scaled,
    held: 'true',
    exact: `${written} AND CASE WHEN strlen(${text}) <= 15 THEN ${rational} ELSE (regexp_full_match(${text}, ${digits}) AND ${scaled} IS NOT NULL) OR (regexp_full_match(${text}, ${exponent}) AND ${rational}) END`,
    known: `${written} AND isfinite(${double})`,
    quick: `strlen(${text}) <= 15 AND ${rational} AND NOT contains(${text}, '_') AND NOT starts_with(${text}, '+')`,
    floating: true,
  };
}

/** The most decimals at which every value within bounds, before the factor, stays an exact double. */
function finestScale(column: NumberColumn, multiply: string): number {
  const greatest = Math.max(Math.abs(Number(column.minimum)), Math.abs(Number(column.maximum)), 1) / Number(multiply);
  let scale = MOST_DECIMALS;
  while (scale > 0 && greatest * 10 ** scale >= 2 ** 49) scale -= 1;
  return scale;
}

function fraction(multiply: string): { numerator: bigint; decimals: number } {
  const decimals = (multiply.split('.')[1] ?? '').replace(/0+$/, '').length;
  return { numerator: scaleDecimal(multiply, decimals), decimals };
}

const power = (exponent: number): bigint => 10n ** BigInt(exponent);
