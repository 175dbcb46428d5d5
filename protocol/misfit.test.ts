import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { checkDocument } from './canonical.ts';
import { organisationId, publicKey } from './names.ts';
import { datasetSchema } from './schema.ts';

const form = z.strictObject({
  id: organisationId,
  rows: z.int().min(1).max(1_000_000),
  part: z.number().gt(0).lt(1).optional(),
  seconds: z.number().positive().optional(),
  mode: z.enum(['auto', 'person', 'none']).default('auto'),
  release: z.strictObject({ minimumCell: z.int().min(1).max(1000).optional() }).prefault({}),
  rule: z.union([z.boolean(), z.int().min(1).max(3)]).optional(),
  who: z.union([z.literal('any'), z.array(organisationId).max(5)]).optional(),
  at: z.union([z.strictObject({ url: z.url() }), z.strictObject({ channel: z.string().min(1) })]).optional(),
  title: z.string().max(5).optional(),
  note: z.string().min(1).nullable().optional(),
  keyFile: z.literal('here').optional(),
  key: publicKey.optional(),
  columns: z
    .array(
      z.discriminatedUnion('type', [
        z.strictObject({ type: z.literal('number'), decimals: z.int().min(0).max(9) }),
        z.strictObject({ type: z.literal('text'), name: z.string() }),
      ]),
    )
    .min(1)
    .optional(),
  names: z.record(organisationId, z.int()).optional(),
});
const good = { id: 'a', rows: 5 };

function complaint(value: unknown, own = true): string {
  try {
    checkDocument(form, value, { what: 'it', own });
  } catch (error) {
    return (error as Error).message;
  }
  return 'fits';
}

describe('a document that does not fit', () => {
  test.each<[object, string, string]>([
    [{ rows: 'five' }, 'rows must be a whole number from 1 to 1000000, and is "five"', ', and is text'],
    [{ rows: 0 }, 'rows must be a whole number from 1 to 1000000, and is 0', ''],
    [{ rows: 1.5 }, 'rows must be a whole number from 1 to 1000000, and is 1.5', ''],
    [{ rows: [1, 2] }, 'rows must be a whole number from 1 to 1000000, and is a list of 2', ', and is a list'],
    [{ rows: null }, 'rows must be a whole number from 1 to 1000000, and is null', ', and is null'],
    [{ rows: true }, 'rows must be a whole number from 1 to 1000000, and is true', ', and is true'],
    [{ part: 1 }, 'part must be a number above 0 and below 1, and is 1', ''],
    [{ seconds: -1 }, 'seconds must be a number above 0, and is -1', ''],
    [{ mode: 'Auto' }, 'mode must be "auto", "person" or "none", and is "Auto"', ''],
    [{ id: 'A b' }, 'id must be a name of lower-case letters, digits, - and _ (at most 63), and is "A b"', ''],
    [
      { release: { minimumCell: '10' } },
      'release.minimumCell must be a whole number from 1 to 1000, and is "10"',
      ', and is text',
    ],
    [{ rule: 7 }, 'rule must be true or false or a whole number from 1 to 3, and is 7', ''],
    [{ who: 'all' }, 'who must be "any" or a list of at most 5 entries, and is "all"', ''],
    [
      { who: ['a', 5] },
      'who.1 must be a name of lower-case letters, digits, - and _ (at most 63), and is 5',
      ', and is a number',
    ],
    [{ at: 'x' }, 'at must be an object with "url" or "channel", and is "x"', ''],
    [{ title: 'too long' }, 'title must be text of at most 5 characters, and is "too long"', ''],
    [{ note: '' }, 'note must be text that is not empty or null, and is empty', ''],
    [{ at: { url: 'x' } }, 'at.url must be a URL, and is "x"', ''],
    [{ at: {} }, 'at must be an object with "url" or "channel", and is an object', ''],
    [{ columns: [] }, 'columns must be a list that is not empty, and is a list of 0', ''],
    [{ columns: [{ type: 'date' }] }, 'columns.0.type must be "number" or "text", and is "date"', ''],
    [
      { columns: [{ type: 'number', decimals: 12 }] },
      'columns.0.decimals must be a whole number from 0 to 9, and is 12',
      '',
    ],
  ])('%o is told as a person would', (change, own, kind) => {
    const value = { ...good, ...change };
    expect(complaint(value)).toBe(`it: ${own}`);
    expect(complaint(value, false)).toBe(`it: ${own.replace(/, and is .*$/, '')}${kind}`);
  });

  test.each<[object, string]>([
    [{ columns: [{ type: 'number' }] }, 'it: columns.0.decimals is missing: it must be a whole number from 0 to 9'],
    [{ at: { chanel: 'x' } }, 'it: at has the unknown key "chanel"; did you mean "channel"?'],
    [{ row: 1 }, 'it has the unknown key "row"; did you mean "rows"?'],
    [{ release: { minimumCel: 1 } }, 'it: release has the unknown key "minimumCel"; did you mean "minimumCell"?'],
    [{ release: { quux: 1 } }, 'it: release has the unknown key "quux"; known: minimumCell'],
    [
      { columns: [{ type: 'text', name: 'x', decimals: 1 }] },
      'it: columns.0 has the unknown key "decimals"; known: type, name',
    ],
    [
      { names: { 'A b': 1 } },
      'it: names.A b cannot be a key there: expected a name of lower-case letters, digits, - and _ (at most 63)',
    ],
    [
      { rows: 0, part: 2, seconds: 0, title: 1 },
      'it: rows must be a whole number from 1 to 1000000, and is 0; part must be a number above 0 and below 1, and is 2; seconds must be a number above 0, and is 0; and 1 more',
    ],
  ])('%o names the key', (change, says) => {
    expect(complaint({ ...good, ...change })).toBe(says);
  });

  test('as a whole is named by what it is', () => {
    expect(complaint([])).toBe('it must be an object with "id" and "rows", and is a list of 0');
    expect(complaint({ rows: 5 })).toMatch(/^it: id is missing: it must be a name of lower-case letters/);
  });

  test('keeps our own words where a rule has some', () => {
    const columns = [{ name: 'age', type: 'number', decimals: 0, minimum: '5', maximum: '1' }];
    const check = (): unknown =>
      checkDocument(datasetSchema, { dataset: 'a', version: 1, columns }, { what: 'schema' });
    expect(check).toThrow(/^schema: columns\.0: minimum is above maximum$/);
  });

  test('never tells a key, a password or a long text, nor what others sent', () => {
    const secrets = [
      { keyFile: 'hunter2' },
      { mode: 'c29tZXRoaW5nIHRoYXQgaXMgc2VjcmV0' },
      { key: 'hunter2' },
      { at: { url: '//me:hunter2@there' } },
      { mode: `-----BEGIN hunter2` },
      { title: 'hunter2 '.repeat(20) },
    ];
    for (const secret of secrets) {
      expect(complaint({ ...good, ...secret })).toMatch(/^it: \S+ must be .*, and is another text$/);
      expect(complaint({ ...good, ...secret }, false)).not.toMatch(/hunter2|c29t/);
    }
    expect(complaint({ ...good, mode: 'a\u001b[2J' })).toBe(
      'it: mode must be "auto", "person" or "none", and is "a�[2J"',
    );
    expect(complaint({ ...good, 'x\u001b': 1 })).toMatch(/^it has a key that is not known; known: id, rows/);
  });
});
