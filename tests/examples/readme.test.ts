import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ROOT, run } from './run.ts';

const DOCUMENTS = ['README.md', 'docs/deploy.md', 'docs/queries.md'];
const read = (path: string): string => readFileSync(join(ROOT, path), 'utf8');

/** Commands of the fenced sh blocks; a line that ends in a backslash goes on. */
function commandsOf(path: string): string[] {
  const blocks = [...read(path).matchAll(/^```sh\n([^]*?)^```/gm)].map(([, block = '']) => block);
  return blocks
    .flatMap((block) => block.replace(/\\\n\s*/g, ' ').split('\n'))
    .flatMap((line) => line.split('&&'))
    .map((line) => line.replace(/^\s*\w+=\$\(/, '').trim());
}

/** `healthchain ledger start --config …` to `ledger start`: the words before the first argument. */
function subcommandOf(command: string): string[] {
  const words = command.split(/\s+/).slice(command.startsWith('npx') ? 2 : 1);
  const end = words.findIndex((word) => !/^[a-z][a-z-]*$/.test(word));
  return end < 0 ? words : words.slice(0, end);
}

describe.each(DOCUMENTS)('%s', (path) => {
  const subcommands = new Map(
    commandsOf(path)
      .filter((command) => /^(npx )?healthchain /.test(command))
      .map((command) => [subcommandOf(command).join(' '), command]),
  );

  it('names commands and options that exist', { timeout: 120_000 }, async () => {
    for (const [subcommand] of subcommands) {
      const { status, text } = await run('node', ['bin/healthchain.js', ...subcommand.split(' '), '--help']);
      expect(status, subcommand).toBe(0);
      // Help of a parent command would hide a subcommand that does not exist.
      expect(text, subcommand).toContain(`Usage: healthchain ${subcommand}`);
      const asked = commandsOf(path).filter((command) => subcommandOf(command).join(' ') === subcommand);
      for (const [option] of asked.join(' ').matchAll(/(?<= )--[a-z-]+/g)) expect(text, subcommand).toContain(option);
    }
  });

  it('names npm scripts that exist', () => {
    const { scripts } = JSON.parse(read('package.json')) as { scripts: Record<string, string> };
    for (const command of commandsOf(path)) {
      const [, script] = /^npm (?:run ([a-z:]+)|test\b)/.exec(command) ?? [];
      if (script !== undefined) expect(scripts, command).toHaveProperty([script]);
    }
  });

  it('links to files that are there', () => {
    const targets = [...read(path).matchAll(/\]\(([^)\s]+)\)|src="([^"]+)"/g)].map(([, link, image]) => link ?? image!);
    for (const target of targets) {
      if (/^(https?:|#)/.test(target)) continue;
      expect(existsSync(join(ROOT, dirname(path), target.replace(/#.*$/, ''))), target).toBe(true);
    }
  });

  it('names example files that are there', () => {
    for (const [file] of read(path).matchAll(/examples\/[a-z-]+\/[a-z.]+/g))
      expect(existsSync(join(ROOT, file)), file).toBe(true);
  });
});

it('the queries of docs/queries.md fit the schema that they name', async () => {
  const { normalizeQuery } = await import('../../analytics/index.ts');
  const { ENCOUNTERS_SCHEMA } = await import('../../hospital/synthetic/index.ts');
  const blocks = [...read('docs/queries.md').matchAll(/^```json\n([^]*?)^```/gm)].map(([, block = '']) => block);
  const queries = blocks.filter((block) => block.includes('"statistics"') && block.includes('"purpose"'));
  expect(queries.length).toBeGreaterThan(1);
  for (const block of queries) normalizeQuery(JSON.parse(block), () => ENCOUNTERS_SCHEMA);
});
