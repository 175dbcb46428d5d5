import { expect, it } from 'vitest';
import { describeQuery } from './describe.ts';
import { prepare, schemaOf } from './testing/world.ts';

const schema = schemaOf([
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120', unit: 'years' },
  { name: 'sex', type: 'category', codes: ['0', '1'], labels: { 0: 'female', 1: 'male' } },
  { name: 'thalach', type: 'number', decimals: 0, minimum: '50', maximum: '250' },
  { name: 'num', type: 'number', decimals: 0, minimum: '0', maximum: '4', codes: ['0', '1', '2', '3', '4'] },
]);

it('tells a data-protection officer what will run', () => {
  const query = prepare(
    {
      derive: { disease: { column: 'num', gt: 0 } },
      cohort: {
        all: [
          { column: 'age', gte: 30, lt: 80 },
          { column: 'thalach', notNull: true },
          { not: { column: 'sex', eq: 0 } },
        ],
      },
      groupBy: [{ column: 'sex' }, { column: 'age', bins: [0, 40, 50, 60, 70, 120] }],
      statistics: [{ count: {} }, { mean: { column: 'thalach' } }, { correlation: { columns: ['age', 'thalach'] } }],
    },
    schema,
  );
  expect(describeQuery(query, schema)).toMatchInlineSnapshot(`
    [
      "Asks of the rows where (age is from 30 years to under 80 years and thalach is not missing and not (sex is 0 = female)) of heart@1: the number of rows, the mean of thalach and the correlation of age and thalach.",
      ""disease" is 1 where num is above 0, and 0 where not.",
      "Separately for each sex (0 = female, 1 = male) and age band ([0,40), [40,50), [50,60), [60,70), [70,120)).",
      "10 groups, 60 numbers: each is the sum over all hospitals taking part, and only the sums are opened.",
      "Only what rests on at least 10 rows opens, also when any hospital takes its own off; a zero opens too.",
      "Reads the columns age, sex, thalach and num. Purpose: GRU. At least 3 hospitals must take part.",
    ]
  `);
});

it('leaves out what the query does not have', () => {
  expect(describeQuery(prepare({ statistics: [{ count: {} }] }, schema), schema)).toMatchInlineSnapshot(`
    [
      "Asks of all rows of heart@1: the number of rows.",
      "1 group, 1 number: each is the sum over all hospitals taking part, and only the sums are opened.",
      "Only what rests on at least 10 rows opens, also when any hospital takes its own off; a zero opens too.",
      "Reads no column. Purpose: GRU. At least 3 hospitals must take part.",
    ]
  `);
});

it.each([
  [{ minimumCell: 1, insiderRule: false }, ['Every sum opens, however few rows it rests on.']],
  [
    { minimumCell: 11, insiderRule: 2, zeroCells: 'withhold' },
    [
      'Only what rests on at least 11 rows opens, also when any 2 hospitals take their own off; a zero is withheld too.',
    ],
  ],
  [
    { minimumCell: 5, insiderRule: false, dominance: { percent: 15 } },
    [
      'Only what rests on at least 5 rows opens; a zero opens too.',
      'A sum opens only if all values but the two largest make up at least 15 % of the largest.',
    ],
  ],
])('says the release rule %j', (release, sentences) => {
  const described = describeQuery(prepare({ statistics: [{ count: {} }], release }, schema), schema);
  expect(described.slice(2, -1)).toEqual(sentences);
});

it('says what is found on shares', () => {
  const statistics = [
    { median: { column: 'age' } },
    { quantile: { column: 'thalach', p: [0.25, 0.75] } },
    { extremes: { column: 'age' } },
    { distinct: { column: 'sex' } },
  ];
  const described = describeQuery(prepare({ groupBy: [{ column: 'sex' }], statistics }, schema), schema);
  expect([described[0], described[3]]).toEqual([
    'Asks of all rows of heart@1: the median of age, the 0.25 and 0.75 quantiles of thalach, the 10th smallest and the 10th largest value of age and an estimate of how many different sex there are.',
    '12 more numbers are found together on shares, without showing a count on the way; all hospitals taking part see what is found.',
  ]);
});
