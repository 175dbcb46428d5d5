import { Misuse, type MisuseCode } from './errors.ts';

/** What a person wrote into a JSON file: without the mark that some editors put before it, and without a key that stands twice. */
export function handWritten(text: string, what: string, code: MisuseCode): string {
  const json = text.startsWith('\ufeff') ? text.slice(1) : text;
  const key = doubledKey(json);
  if (key === undefined) return json;
  throw new Misuse(code, `${what}: the key ${key} stands twice in one object`, {
    hint: 'Only one of the two would count: take the other away.',
  });
}

/** The first key that an object of a JSON text has twice, quoted; of a text that is no JSON any answer will do. */
function doubledKey(json: string): string | undefined {
  const open: Set<string>[] = [];
  for (const [token, key] of json.matchAll(/("(?:[^"\\]|\\.)*")\s*:|"(?:[^"\\]|\\.)*"|[{}]/g)) {
    if (token === '{') open.push(new Set());
    else if (token === '}') open.pop();
    else if (key !== undefined) {
      const keys = open.at(-1);
      if (keys?.has(key) === true) return key;
      keys?.add(key);
    }
  }
  return undefined;
}
