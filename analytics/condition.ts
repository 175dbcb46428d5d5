import type { Predicate } from '../protocol/query.ts';
import { codeOf, type Field, type NumberField, type Scope } from './fields.ts';
import { ceilToGrid, floorToGrid, onGrid, readBeside, type Decimal } from './literals.ts';
import { badQuery } from './mistake.ts';

/**
 * A predicate with its meaning settled: every number an integer on its column's grid, every code one of the column's.
 * Three-valued as in SQL: `range` and `among` are unknown where the column is missing.
 */
export type Condition =
  | { readonly kind: 'all' | 'any'; readonly of: readonly Condition[] }
  | { readonly kind: 'not'; readonly of: Condition }
  | { readonly kind: 'missing'; readonly column: string }
  /** Both ends included; an end left out is open. */
  | { readonly kind: 'range'; readonly column: string; readonly from?: bigint; readonly to?: bigint }
  /** An empty list is false for every value, and unknown for a missing one. */
  | { readonly kind: 'among'; readonly column: string; readonly values: readonly (bigint | string)[] };

export type Leaf = Extract<Predicate, { column: string }>;
type Literal = NonNullable<Leaf['eq']>;
type Numeric = NonNullable<Leaf['gt']>;

/** Errors: BAD_QUERY at the place of the first test that makes no sense for its column. */
export function resolvePredicate(predicate: Predicate, scope: Scope, place: string): Condition {
  const each = (key: string, list: readonly Predicate[]): Condition[] =>
    list.map((child, index) => resolvePredicate(child, scope, `${place}.${key}.${index}`));
  if ('all' in predicate) return { kind: 'all', of: each('all', predicate.all) };
  if ('any' in predicate) return { kind: 'any', of: each('any', predicate.any) };
  if ('not' in predicate) return { kind: 'not', of: resolvePredicate(predicate.not, scope, `${place}.not`) };
  const tests = resolveLeaf(predicate, scope.field(predicate.column, `${place}.column`), place);
  return tests.length === 1 ? tests[0]! : { kind: 'all', of: tests };
}

function resolveLeaf(leaf: Leaf, field: Field, place: string): Condition[] {
  const { column } = leaf;
  const tests: Condition[] = [];
  const equal = (key: string, literal: Literal): Condition => ({
    kind: 'among',
    column,
    values: readValue(literal, field, `${place}.${key}`),
  });
  const among = (key: string, literals: readonly Literal[]): Condition => {
    const values = literals.flatMap((literal, index) => readValue(literal, field, `${place}.${key}.${index}`));
    return { kind: 'among', column, values: [...new Set(values)] };
  };
  const bound = (key: string, literal: Numeric): { value: Decimal; decimals: number } => {
    const number = requireNumber(field, key, place);
    return { value: readBeside(number, literal, `${place}.${key}`), decimals: number.decimals };
  };
  if (leaf.eq !== undefined) tests.push(equal('eq', leaf.eq));
  if (leaf.ne !== undefined) tests.push({ kind: 'not', of: equal('ne', leaf.ne) });
  if (leaf.in !== undefined) tests.push(among('in', leaf.in));
  if (leaf.notIn !== undefined) tests.push({ kind: 'not', of: among('notIn', leaf.notIn) });
  if (leaf.gt !== undefined) {
    const { value, decimals } = bound('gt', leaf.gt);
    tests.push({ kind: 'range', column, from: floorToGrid(value, decimals) + 1n });
  }
  if (leaf.gte !== undefined) {
    const { value, decimals } = bound('gte', leaf.gte);
    tests.push({ kind: 'range', column, from: ceilToGrid(value, decimals) });
  }
  if (leaf.lt !== undefined) {
    const { value, decimals } = bound('lt', leaf.lt);
    tests.push({ kind: 'range', column, to: ceilToGrid(value, decimals) - 1n });
  }
  if (leaf.lte !== undefined) {
    const { value, decimals } = bound('lte', leaf.lte);
    tests.push({ kind: 'range', column, to: floorToGrid(value, decimals) });
  }
  if (leaf.between !== undefined) {
    const [low, high] = [bound('between', leaf.between[0]), bound('between', leaf.between[1])];
    if (isAbove(low.value, high.value)) throw badQuery(`${place}.between`, 'the first bound is above the second');
    const from = ceilToGrid(low.value, low.decimals);
    tests.push({ kind: 'range', column, from, to: floorToGrid(high.value, high.decimals) });
  }
  if (leaf.isNull !== undefined) tests.push({ kind: 'missing', column });
  if (leaf.notNull !== undefined) tests.push({ kind: 'not', of: { kind: 'missing', column } });
  if (tests.length === 0) throw badQuery(place, `names "${column}" but no test, as gte, lt, eq, in, notNull`);
  return tests;
}

const isAbove = (a: Decimal, b: Decimal): boolean =>
  a.units * 10n ** BigInt(b.decimals) > b.units * 10n ** BigInt(a.decimals);

function requireNumber(field: Field, key: string, place: string): NumberField {
  if (field.kind === 'number') return field;
  throw badQuery(`${place}.${key}`, `${key} compares numbers, and "${field.name}" is a category`, {
    hint: 'A category is tested with eq, ne, in, notIn, isNull and notNull.',
  });
}

/** The value a literal stands for in this column; none for a number that no value of the column can equal. */
function readValue(literal: Literal, field: Field, place: string): [] | [bigint | string] {
  if (field.kind === 'category' || field.derived !== undefined) return [codeOf(field, literal, place).value];
  if (typeof literal === 'boolean')
    throw badQuery(place, `"${field.name}" is a number; true and false are for derived columns`);
  const value = onGrid(readBeside(field, literal, place), field.decimals);
  return value === undefined ? [] : [value];
}

/**
 * Columns that are surely there in a row where the condition has this truth: `age >= 30` is neither true nor false
 * for a missing age. Public knowledge, so that cells which must be equal are made, shared and opened once.
 */
export function presentWhere(condition: Condition, truth = true): ReadonlySet<string> {
  switch (condition.kind) {
    case 'range':
    case 'among':
      return new Set([condition.column]);
    case 'missing':
      return new Set(truth ? [] : [condition.column]);
    case 'not':
      return presentWhere(condition.of, !truth);
    case 'all':
    case 'any': {
      const sets = condition.of.map((child) => presentWhere(child, truth));
      // All of them decide when "all" holds or "any" fails; otherwise some one of them, and we do not know which.
      const everyOneDecides = (condition.kind === 'all') === truth;
      const names = new Set(sets.flatMap((set) => [...set]));
      return everyOneDecides ? names : new Set([...names].filter((name) => sets.every((set) => set.has(name))));
    }
  }
}

/** Columns that a condition looks at. */
export function columnsOf(condition: Condition): ReadonlySet<string> {
  switch (condition.kind) {
    case 'all':
    case 'any':
      return new Set(condition.of.flatMap((child) => [...columnsOf(child)]));
    case 'not':
      return columnsOf(condition.of);
    default:
      return new Set([condition.column]);
  }
}
