import { describe, expect, test } from 'vitest';
import { columnName, datasetName, datasetReference, digest, organisationId, signatureHex } from './names.ts';

const long = 'a'.repeat(63);
const cases = [
  {
    name: 'an organisation',
    type: organisationId,
    good: ['a', 'hospital-1', '0_x', long],
    bad: ['', 'A', '-a', '_a', 'a b', 'a/b', '../a', 'a\n', 'é', `${long}a`, 'a\0'],
  },
  {
    name: 'a dataset',
    type: datasetName,
    good: ['Heart', 'a-1_b', long],
    bad: ['', '1a', 'a.b', 'a@1', 'a\n', `${long}a`],
  },
  {
    name: 'a column',
    type: columnName,
    good: ['_x', 'a.b-c', long],
    bad: ['', '1', '.a', 'a b', 'a"', 'a;--', `${long}a`],
  },
  {
    name: 'a dataset reference',
    type: datasetReference,
    good: ['heart@1', 'a@999999'],
    bad: ['heart', 'heart@0', 'heart@01', 'heart@1000000', '@1', 'heart@1 '],
  },
  {
    name: 'a digest',
    type: digest,
    good: ['a'.repeat(64)],
    bad: ['A'.repeat(64), 'a'.repeat(63), 'a'.repeat(65), `${'a'.repeat(64)}\n`],
  },
  { name: 'a signature', type: signatureHex, good: ['0'.repeat(128)], bad: ['0'.repeat(127), 'g'.repeat(128)] },
];

describe.each(cases)('the name of $name', ({ type, good, bad }) => {
  test.each(good)('%j is taken', (text) => expect(type.safeParse(text).success).toBe(true));
  test.each(bad)('%j is refused', (text) => expect(type.safeParse(text).success).toBe(false));
});
