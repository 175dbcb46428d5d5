import { describe, expect, it } from 'vitest';
import { candidateCounts, residualCandidates, withComplement } from './complement.ts';
import { releasedCells } from './guards.ts';
import { planQuery, type Plan } from './plan.ts';
import { decideInTheClear, passesRule } from './testing/decision.ts';
import { OPEN, prepare, schemaOf } from './testing/world.ts';

const schema = schemaOf([
  { name: 'code', type: 'category', codes: ['a', 'b', 'c'] },
  { name: 'grade', type: 'number', decimals: 0, minimum: '0', maximum: '9' },
]);
const byCode = { histogram: { column: 'code' } };
const byGrade = { histogram: { column: 'grade', bins: [0, 1, 2] } };
const plan = (column: string, histogram: object, release: object): Plan =>
  planQuery(prepare({ statistics: [{ n: { column } }, histogram], release }, schema), schema);

/** The cells of the histogram by code that open, from a hospital's counts of a, b and c. */
function openedOf(release: object, ...hospitals: number[][]): string {
  const planned = plan('code', byCode, release);
  const scanned = hospitals.map((counts) => {
    const n = counts.reduce((a, b) => a + b);
    return [n, ...counts, n].map(BigInt);
  });
  return decideInTheClear(planned, scanned).join('');
}

describe('a residual', () => {
  const ten = { minimumCell: 10, insiderRule: false };

  it.each<[string, string, number[]]>([
    ['of one small cell takes the first cell with it that helps', '1001', [12, 3, 30]],
    ['that is large enough is left alone', '1001', [6, 7, 30]],
    ['of as many rows as cells takes all with it, and the total', '0000', [4, 0, 1]],
    ['is not helped by an empty cell', '1100', [0, 3, 30]],
    ['is none where all cells open', '1111', [10, 0, 30]],
  ])('%s', (_, opened, counts) => {
    expect(openedOf(ten, counts, [0, 0, 0])).toBe(opened);
  });

  it('is judged by the insider rule as any count', () => {
    // Six rows of each are the first hospital's: what it finds of both together is less than ten.
    expect(openedOf({ minimumCell: 10 }, [6, 6, 20], [2, 2, 20], [0, 0, 20])).toBe('1000');
    expect(openedOf({ minimumCell: 10 }, [6, 6, 20], [6, 2, 20], [0, 4, 20])).toBe('1001');
  });

  it('holds the rows outside all bins, which a total alone would tell', () => {
    const planned = plan('grade', byGrade, ten);
    const opened = (inside: number[], outside: number): string => {
      const n = inside.reduce((a, b) => a + b, outside);
      return decideInTheClear(planned, [[n, ...inside, n, outside].map(BigInt), [0n, 0n, 0n, 0n, 0n]]).join('');
    };
    expect(opened([20, 30], 3)).toBe('101');
    expect(opened([20, 30], 0)).toBe('111');
    expect(opened([20, 30], 10)).toBe('111');
    expect(opened([3, 30], 5)).toBe('100');
    expect(opened([3, 30], 15)).toBe('101');
  });

  it('is asked of nobody where no rule applies', () => {
    const planned = plan('code', byCode, OPEN);
    const released = releasedCells(planned, []);
    expect(residualCandidates(planned, released)).toEqual([]);
    expect(withComplement(planned, released, [])).toEqual(released);
  });

  it('is counted from what a hospital scanned', () => {
    const planned = plan('code', byCode, ten);
    const released = Uint8Array.of(1, 0, 1, 1);
    const candidates = residualCandidates(planned, released);
    expect(candidates.map(({ residual, part, minimum }) => [residual, part, minimum])).toEqual([
      [[1], undefined, 10],
      [[1], 2, 10],
      [[1], 3, 10],
    ]);
    expect([...candidateCounts(candidates, (index) => [50n, 3n, 17n, 30n, 50n][index]!)]).toEqual([3n, 20n, 33n]);
  });
});

type Table = readonly [number, number, number];

/** Every way in which hospitals can hold up to `most` rows of each of three kinds. */
function* everyTable(hospitals: number, most: number): Generator<Table[]> {
  if (hospitals === 0) {
    yield [];
    return;
  }
  for (const others of everyTable(hospitals - 1, most))
    for (let a = 0; a <= most; a++)
      for (let b = 0; b <= most; b++) for (let c = 0; c <= most; c++) yield [[a, b, c], ...others];
}

const sumOf = (tables: readonly Table[], k: number): number => tables.reduce((sum, table) => sum + table[k]!, 0);

/**
 * What can be concluded from an answer, by going through all tables of three kinds. With bins, the third kind is in no
 * bin. An answer is a list of the total and the cells, null where withheld.
 */
describe.each([
  ['codes', byCode, 'code'],
  ['bins that leave something out', byGrade, 'grade'],
])('from the answer by %s', (_, histogram, column) => {
  const shownKinds = column === 'code' ? [0, 1, 2] : [0, 1];
  const kinds = [0, 1, 2];

  function answersUnder(planned: Plan, tables: Iterable<Table[]>): Map<string, Table[][]> {
    const answers = new Map<string, Table[][]>();
    for (const hospitals of tables) {
      const scanned = hospitals.map((table) => {
        const n = table[0] + table[1] + table[2];
        return [n, ...shownKinds.map((k) => table[k]!), n, ...(column === 'code' ? [] : [table[2]])].map(BigInt);
      });
      const released = decideInTheClear(planned, scanned);
      const sums = kinds.map((k) => sumOf(hospitals, k));
      const cells = [sums[0]! + sums[1]! + sums[2]!, ...shownKinds.map((k) => sums[k]!)];
      const answer = JSON.stringify(cells.map((value, index) => (released[index] === 1 ? value : null)));
      const same = answers.get(answer) ?? [];
      answers.set(answer, same);
      same.push(hospitals);
    }
    return answers;
  }

  it.each(['open', 'withhold'] as const)(
    'nobody who knows the procedure finds a count under the insider rule (zero cells: %s)',
    (zeroCells) => {
      const planned = plan(column, histogram, { minimumCell: 3, insiderRule: true, zeroCells });
      for (const [answer, tables] of answersUnder(planned, everyTable(2, 4))) {
        const [total, ...cells] = JSON.parse(answer) as (number | null)[];
        // Of larger totals, not all tables were gone through.
        if (total === null || total === undefined || total > 8) continue;
        for (const k of kinds.filter((kind) => (cells[kind] ?? null) === null)) {
          const possible = new Set(tables.map((table) => sumOf(table, k)));
          const [only] = possible;
          const isTold = possible.size === 1 && only! > 0 && only! < 3;
          expect(isTold, `${answer} tells that ${k} is ${only!}`).toBe(false);
        }
      }
    },
  );

  it.each([false, true])('no residual can be had that fails the rule (insider rule: %s)', (insiderRule) => {
    const planned = plan(column, histogram, { minimumCell: 3, insiderRule });
    for (const [answer, all] of answersUnder(planned, everyTable(2, 4))) {
      const [total, ...cells] = JSON.parse(answer) as (number | null)[];
      const hidden = kinds.filter((k) => (cells[k] ?? null) === null);
      if (total === null || hidden.length === 0 || hidden.length === kinds.length) continue;
      for (const hospitals of all) {
        const residual = hospitals.map((table) => BigInt(hidden.reduce((sum, k) => sum + table[k]!, 0)));
        expect(passesRule(residual, 3, planned.rule), answer).toBe(true);
      }
    }
  });
});
