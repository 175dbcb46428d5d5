import fc from 'fast-check';
import { MOST_DECIMALS, unscaleDecimal, type Column, type NumberColumn } from '../../../protocol/schema.ts';
import { columnRule, type DatasetMapping } from '../config.ts';
import type { Cell, Engine } from '../engine.ts';
import { readingsOf } from '../readings.ts';

/** A column `x`. */
export const numberColumn = (
  decimals: number,
  minimum = '-1000000',
  maximum = '1000000',
  codes?: string[],
): NumberColumn => ({
  name: 'x',
  type: 'number',
  decimals,
  minimum,
  maximum,
  ...(codes === undefined ? {} : { codes }),
});

/** What the last reading makes of SQL values of one type: the integer, null, or the rule that is broken. */
export async function readWith(
  engine: Engine,
  column: Column,
  type: string,
  values: string[],
  mapping?: DatasetMapping,
) {
  const reading = readingsOf(column, 'v', type, columnRule(mapping, 'x')).at(-1)!;
  const rows = values.map((value, index) => `(${index}, CAST(${value} AS ${type}))`).join(', ');
  const result = await engine.select(
    `SELECT coalesce(${reading.misfit}, false), CASE WHEN ${reading.misfit} THEN ${reading.rule} END,
       CASE WHEN ${reading.misfit} THEN NULL ELSE ${reading.value} END
     FROM (VALUES ${rows}) AS t(n, v) ORDER BY n`,
  );
  const [misfit = [], rule = [], value = []] = result.columns;
  return misfit.map((bad, index): Cell => (bad === 1n ? rule[index]! : value[index]!));
}

/** value = scaled / 10^decimals, in the forms that files hold. */
export const decimal = fc
  .record({
    decimals: fc.integer({ min: 0, max: MOST_DECIMALS }),
    raw: fc.bigInt({ min: -(2n ** 49n), max: 2n ** 49n }),
  })
  .map(({ decimals, raw }) => ({ decimals, scaled: raw, text: unscaleDecimal(raw, decimals) }));

/** Of a column that holds all of `decimal`. */
export const bounds = (decimals: number): [string, string] => [
  unscaleDecimal(-(2n ** 49n), decimals),
  unscaleDecimal(2n ** 49n, decimals),
];
