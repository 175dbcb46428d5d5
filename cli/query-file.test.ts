import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { handWritten } from '../protocol/hand-written.ts';
import { parseQueryFile } from './query-file.ts';

const read = (text: string): string => handWritten(text, 'query.json', 'BAD_QUERY');

describe('what a person wrote', () => {
  it.each([
    ['{"cohort": {"column": "age"}, "cohort": {}}', '"cohort"'],
    ['{"a": [{"column": "age", "gte": 1,\n "gte" : 2}]}', '"gte"'],
    ['{"a": {"b": 1}, "b": 2, "c": ["}", "{\\"", {}], "b": 3}', '"b"'],
  ])('%s has a key twice', (text, key) => {
    expect(() => read(text)).toThrow(`query.json: the key ${key} stands twice in one object`);
  });

  it('is taken as it stands where no key does, whatever its texts hold', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const text = JSON.stringify(value, undefined, 2);
        expect(read(text)).toBe(text);
      }),
    );
  });

  it('may begin with the mark of an editor', () => {
    expect(parseQueryFile('\ufeff{"dataset": "heart"}', 'query.json')).toEqual({ dataset: 'heart' });
  });
});
