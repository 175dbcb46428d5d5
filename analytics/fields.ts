import { listNames, suggestion } from '../protocol/nearest-name.ts';
import type { Predicate, Query } from '../protocol/query.ts';
import { scaleDecimal, schemaReference, type Column, type DatasetSchema } from '../protocol/schema.ts';
import { badQuery } from './mistake.ts';

/** A code of a column: its text in group keys, and its value in the local relation. */
export interface Code {
  readonly text: string;
  readonly value: bigint | string;
}

/** A column of integers value * 10^decimals; `minimum` and `maximum` are scaled likewise. */
export interface NumberField {
  readonly kind: 'number';
  readonly name: string;
  readonly decimals: number;
  /** Values and literals with more decimals are rounded to the nearest multiple. */
  readonly rounded: boolean;
  readonly minimum: bigint;
  readonly maximum: bigint;
  readonly codes: readonly Code[] | undefined;
  readonly unit: string | undefined;
  /** Of a derived column: 1 where the predicate holds, 0 where it does not, missing where it is unknown. */
  readonly derived: Predicate | undefined;
}

export interface CategoryField {
  readonly kind: 'category';
  readonly name: string;
  readonly codes: readonly Code[];
  readonly labels: Readonly<Record<string, string>>;
}

export type Field = NumberField | CategoryField;

/** A column of which nothing is known but whether two rows have the same. */
export interface IdentifierField {
  readonly kind: 'identifier';
  readonly name: string;
}

/** What the names in a query mean: the schema's columns and the query's own derived ones. */
export class Scope {
  readonly reference: string;
  readonly #fields = new Map<string, Field>();
  readonly #identifiers = new Set<string>();

  constructor(schema: DatasetSchema) {
    this.reference = schemaReference(schema);
    for (const column of schema.columns) {
      if (column.type === 'identifier') this.#identifiers.add(column.name);
      else this.#fields.set(column.name, fieldOf(column));
    }
  }

  /** The schema's columns, and `derive` on top. Errors: BAD_QUERY for a derived name that is taken. */
  static ofQuery(query: Pick<Query, 'derive'>, schema: DatasetSchema): Scope {
    const scope = new Scope(schema);
    // SQL compares names without case: "Age" derived beside a column "age" would be the same column there.
    const taken = new Set(schema.columns.map((column) => column.name.toLowerCase()));
    for (const [name, predicate] of Object.entries(query.derive ?? {})) {
      if (taken.has(name.toLowerCase()))
        throw badQuery(`derive.${name}`, `"${name}" is a column already; choose another name`);
      taken.add(name.toLowerCase());
      scope.#fields.set(name, derivedField(name, predicate));
    }
    return scope;
  }

  /** Names that a query may use. */
  get names(): string[] {
    return [...this.#fields.keys()];
  }

  /** Errors: BAD_QUERY for an unknown name or an identifier. */
  field(name: string, place: string): Field {
    const field = this.#fields.get(name);
    if (field !== undefined) return field;
    if (this.#identifiers.has(name))
      throw badQuery(place, `"${name}" is an identifier: it is never grouped by, compared, summed or shown`, {
        hint: 'Of identifiers there is distinct: how many different ones there are.',
      });
    throw badQuery(place, `"${name}" is not a column of ${this.reference}${suggestion(name, this.names)}`, {
      hint: `Columns: ${listNames(this.names, 40)}.`,
    });
  }

  /** As `field`; BAD_QUERY also for a category, of which there is no sum. */
  number(name: string, place: string): NumberField {
    const field = this.field(name, place);
    if (field.kind === 'number') return field;
    throw badQuery(place, `"${name}" is a category, and this statistic needs a number`, {
      hint: 'Of categories there are n, histogram and table, and they can be grouped by.',
    });
  }

  /** As `field`, identifiers too: what `distinct` counts. */
  countable(name: string, place: string): Field | IdentifierField {
    return this.#identifiers.has(name) ? { kind: 'identifier', name } : this.field(name, place);
  }

  /** The field of a name that was checked before. */
  known(name: string): Field {
    return this.field(name, '');
  }
}

/**
 * The code that a literal names: 1 and "1" both mean the code "1"; of a derived column, true and false mean 1 and 0.
 * Errors: BAD_QUERY with the codes there are.
 */
export function codeOf(field: CategoryField | NumberField, literal: string | number | boolean, place: string): Code {
  const isDerived = field.kind === 'number' && field.derived !== undefined;
  const text = isDerived && typeof literal === 'boolean' ? String(Number(literal)) : String(literal);
  const codes = field.codes ?? [];
  const code = codes.find((each) => each.text === text);
  if (code !== undefined && (isDerived || typeof literal !== 'boolean')) return code;
  const known = listNames(codes.map((each) => each.text));
  throw badQuery(place, `wrong code "${text}" for ${field.name}; known: ${known}`);
}

/** The greatest |value| of a number field, scaled. */
export function magnitude(field: NumberField): bigint {
  const [low, high] = [
    field.minimum < 0n ? -field.minimum : field.minimum,
    field.maximum < 0n ? -field.maximum : field.maximum,
  ];
  return low > high ? low : high;
}

function fieldOf(column: Exclude<Column, { type: 'identifier' }>): Field {
  if (column.type === 'category') {
    const codes = column.codes.map((text) => ({ text, value: text }));
    return { kind: 'category', name: column.name, codes, labels: column.labels ?? {} };
  }
  const scaled = (text: string): bigint => scaleDecimal(text, column.decimals);
  return {
    kind: 'number',
    name: column.name,
    decimals: column.decimals,
    rounded: column.rounded ?? false,
    minimum: scaled(column.minimum),
    maximum: scaled(column.maximum),
    codes: column.codes?.map((text) => ({ text, value: scaled(text) })),
    unit: column.unit,
    derived: undefined,
  };
}

const derivedField = (name: string, predicate: Predicate): NumberField => ({
  kind: 'number',
  name,
  decimals: 0,
  rounded: false,
  minimum: 0n,
  maximum: 1n,
  codes: [
    { text: '0', value: 0n },
    { text: '1', value: 1n },
  ],
  unit: undefined,
  derived: predicate,
});
