import { describe, expect, it } from 'vitest';
import { query as queryType, type Query } from '../protocol/query.ts';
import { releaseInput, type ReleaseRule } from '../protocol/release.ts';
import { datasetSchema } from '../protocol/schema.ts';
import { columnsOf, decidePolicy, sandboxPolicy, sitePolicy, type PolicyDecision, type SitePolicy } from './policy.ts';

const schema = datasetSchema.parse({
  dataset: 'heart',
  version: 1,
  columns: [
    { name: 'id', type: 'identifier' },
    { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
    { name: 'chol', type: 'number', decimals: 0, minimum: '0', maximum: '700' },
    { name: 'sex', type: 'category', codes: ['F', 'M'] },
  ],
  release: { minimumHospitals: 3 },
});

const ruleOf = (named: object): ReleaseRule => releaseInput.parse(named);

const ask = (changes: Partial<Query> = {}): Query =>
  queryType.parse({
    dataset: 'heart@1',
    purpose: 'GRU',
    derive: { old: { column: 'age', gte: 70 } },
    cohort: { all: [{ not: { column: 'old', eq: true } }, { any: [{ column: 'sex', eq: 'F' }] }] },
    groupBy: [{ column: 'sex' }],
    statistics: [{ count: {} }, { mean: { column: 'chol' } }],
    release: ruleOf({}),
    ...changes,
  });

const allowing = (changes: object = {}): SitePolicy =>
  sitePolicy.parse({
    purposes: ['GRU'],
    researchers: ['ada'],
    columns: ['age', 'chol', 'sex'],
    statistics: ['count', 'mean'],
    approval: 'auto',
    ...changes,
  });

const decide = (policy: SitePolicy | undefined, query: Query = ask(), approvedQueries = 0): PolicyDecision =>
  decidePolicy(policy, query, schema, 'ada', { approvedQueries });

describe('decidePolicy', () => {
  it('denies without a policy', () => {
    expect(decide(undefined)).toEqual({ decision: 'deny', reasons: [expect.stringContaining('POLICY_MISSING')] });
  });

  it('approves what every rule allows, and asks a person where one decides', () => {
    expect(decide(allowing()).decision).toBe('approve');
    expect(decide(allowing({ approval: 'person' })).decision).toBe('ask');
    expect(decide(allowing({ approval: undefined })).decision).toBe('ask');
  });

  it('denies everything under an empty policy, and names every rule', () => {
    const { decision, reasons } = decide(sitePolicy.parse({}));
    expect(decision).toBe('deny');
    for (const part of ['purpose GRU', 'researcher ada', 'column age', 'column chol', 'column sex', 'statistic mean'])
      expect(reasons.join('; ')).toContain(part);
  });

  it.each([
    ['purposes', [], 'purpose GRU'],
    ['researchers', ['bob'], 'researcher ada'],
    ['columns', ['chol', 'sex'], 'column age'],
    ['statistics', ['count'], 'statistic mean'],
    ['datasets', ['lung'], 'dataset heart'],
    ['release', { minimumHospitals: 4 }, 'release.minimumHospitals: the query asks 3'],
    ['budget', { queriesPerResearcher: 0 }, 'budget.queriesPerResearcher'],
  ])('names the one rule that fails: %s', (key, value, reason) => {
    const { decision, reasons } = decide(allowing({ [key]: value }));
    expect(decision).toBe('deny');
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain(reason);
  });

  it('allows and forbids order statistics and distinct counts by name, and identifiers as columns', () => {
    const statistics = [
      { quantile: { column: 'age', p: [0.5] } },
      { extremes: { column: 'age' } },
      { distinct: { column: 'id', bits: 1024 } },
    ];
    const names = ['quantile', 'extremes', 'distinct'];
    const columns = ['age', 'sex', 'id'];
    expect(decide(allowing({ statistics: names, columns }), ask({ statistics })).decision).toBe('approve');
    for (const name of names) {
      const others = names.filter((each) => each !== name);
      const { reasons } = decide(allowing({ statistics: others, columns }), ask({ statistics }));
      expect(reasons).toEqual([`statistic ${name} is not allowed`]);
    }
    expect(decide(allowing({ statistics: names }), ask({ statistics })).reasons).toEqual(['column id is not allowed']);
  });

  it("holds the schema's floor as well as the site's", () => {
    const low = decide(
      allowing({ release: { minimumHospitals: 2 } }),
      ask({ release: ruleOf({ minimumHospitals: 2 }) }),
    );
    expect(low.reasons).toEqual([
      'release.minimumHospitals: the query asks 2, the schema heart@1 requires at least 3; ask for 3 or stricter',
    ]);
  });

  it('closes what it does not name: small counts, and what one hospital finds by taking its own off', () => {
    const asked = { minimumCell: 5, insiderRule: false };
    for (const silent of [allowing(), allowing({ release: {} }), allowing({ release: { minimumHospitals: 3 } })])
      expect(decide(silent, ask({ release: ruleOf(asked) })).reasons).toEqual([
        "release.minimumCell: the query asks 5, this site's policy requires at least 10; ask for 10 or stricter",
        "release.insiderRule: the query asks false, this site's policy requires true; ask for true or stricter",
      ]);
    expect(decide(allowing({ release: asked }), ask({ release: ruleOf(asked) })).decision).toBe('approve');
  });

  it.each([
    ['minimumCell', { minimumCell: 11 }],
    ['insiderRule', { insiderRule: 2 }],
    ['zeroCells', { zeroCells: 'withhold' }],
    ['dominance', { dominance: { percent: 10 } }],
  ])('denies a query that asks for less than its floor of %s, and never changes it', (parameter, release) => {
    const { decision, reasons } = decide(allowing({ release }));
    expect(decision).toBe('deny');
    expect(reasons).toEqual([expect.stringContaining(`release.${parameter}: the query asks`)]);
    expect(decide(allowing({ release }), ask({ release: ruleOf(release) })).decision).toBe('approve');
  });

  it('counts the budget down to nothing', () => {
    const policy = allowing({ budget: { queriesPerResearcher: 2 } });
    expect([0, 1, 2].map((used) => decide(policy, ask(), used).decision)).toEqual(['approve', 'approve', 'deny']);
  });

  it('denies another dataset version, and a derived name that hides a column', () => {
    expect(decide(allowing(), ask({ dataset: 'heart@2' })).decision).toBe('deny');
    const hiding = decide(allowing({ columns: ['age'] }), ask({ derive: { Chol: { column: 'age', gte: 1 } } }));
    expect(hiding.reasons.join()).toContain('hides a column');
  });
});

describe('policies', () => {
  it('refuse unknown keys, so that a misspelt rule is not an absent one', () => {
    expect(() => sitePolicy.parse({ purpose: ['GRU'] })).toThrow();
    expect(() => sandboxPolicy({ relase: {} })).toThrow(expect.objectContaining({ code: 'BAD_CONFIG' }) as Error);
    for (const [given, says] of [
      [{ relase: {} }, 'site policy has the unknown key "relase"; did you mean "release"?'],
      [
        { release: { minimumCell: 'five' } },
        'site policy: release.minimumCell must be a whole number from 1 to 1000000, and is "five"',
      ],
      [{ approval: 'Auto' }, 'site policy: approval must be "auto" or "person", and is "Auto"'],
      [{ purposes: 'GRU' }, 'site policy: purposes must be "any" or a list of at most 1000 entries, and is "GRU"'],
    ] as const)
      expect(() => sandboxPolicy(given)).toThrow(expect.objectContaining({ message: says }) as Error);
  });

  it('of a sandbox are open, with the file on top', () => {
    const query = ask({ release: ruleOf({ minimumHospitals: 3 }) });
    expect(decide(sandboxPolicy()).decision).toBe('approve');
    expect(decide(sandboxPolicy({ release: { minimumHospitals: 4 } }), query).reasons.join()).toContain('at least 4');
    expect(decide(sandboxPolicy({ approval: 'person' })).decision).toBe('ask');
    expect(sandboxPolicy().release).toEqual({ minimumCell: 10, insiderRule: true, minimumHospitals: 2 });
    const open = { minimumCell: 1, insiderRule: false };
    expect(sandboxPolicy({ release: open }).release).toEqual({ ...open, minimumHospitals: 2 });
  });

  it('survive a round trip through JSON', () => {
    expect(sitePolicy.parse(JSON.parse(JSON.stringify(sandboxPolicy())))).toEqual(sandboxPolicy());
  });
});

describe('columnsOf', () => {
  it('sees through derived names, predicates, groups and statistics', () => {
    expect(columnsOf(ask())).toEqual(['age', 'chol', 'sex']);
    expect(columnsOf(ask({ groupBy: [{ column: 'old' }], cohort: undefined, statistics: [{ count: {} }] }))).toEqual([
      'age',
    ]);
    const pair = ask({
      derive: undefined,
      cohort: undefined,
      groupBy: [],
      statistics: [{ table: { columns: ['sex', 'age'] } }],
    });
    expect(columnsOf(pair)).toEqual(['age', 'sex']);
  });

  it('takes any text in a statistic that names a column', () => {
    const later = {
      ...ask(),
      derive: undefined,
      cohort: undefined,
      groupBy: [],
      statistics: [{ fit: { outcome: 'chol', on: ['age'] } }],
    };
    expect(columnsOf(later as unknown as Query, schema)).toEqual(['age', 'chol']);
  });
});
