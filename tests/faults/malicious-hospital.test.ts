import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Abort } from '../../protocol/errors.ts';
import type { Progress } from '../../researcher/progress.ts';
import { VerificationError } from '../../researcher/result/checks.ts';
import { verifyEvidence } from '../../researcher/result/verify-evidence.ts';
import { cli, expectOneClearLine, until, valuesOf, type Ran } from '../end-to-end/world.ts';
import { CheatingNode } from './cheating-node.ts';
import { Members, query, ROWS } from './members.ts';

const [anna, bert, mallory] = ['anna', 'bert', 'mallory'] as const;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

describe('a hospital that sends another share than it committed to', () => {
  let members: Members;
  let cheat: CheatingNode;

  beforeAll(async () => {
    members = await Members.start([anna, bert, mallory]);
    cheat = new CheatingNode(await members.options(mallory, 2));
    members.closeAtEnd(cheat);
    cheat.start();
    await Promise.all([members.node(anna, 0), members.node(bert, 1), until('mallory', () => cheat.connected)]);
  });
  afterAll(() => members.close());

  /** Asks all three; returns the error, what was shown on the way, and the evidence. */
  async function askAll(): Promise<{ id: string; error: Abort; events: Progress[]; evidence: object[] }> {
    const events: Progress[] = [];
    const evidence: object[] = [];
    const id = await members.researcher.submit(query);
    const watch = {
      signal: AbortSignal.timeout(30_000),
      progress: (event: Progress) => void events.push(event),
      evidence: (document: object) => void evidence.push(document),
    };
    const error = await members.researcher.answer(id, watch).then(
      () => expect.fail('an answer was shown'),
      (each: unknown) => each as Abort,
    );
    return { id, error, events, evidence };
  }

  test('is named to the researcher and on the ledger, with evidence, and nothing is shown', async () => {
    const { id, error, events, evidence } = await askAll();
    expect(error).toMatchObject({ kind: 'Abort', code: 'VERIFICATION_FAILED', party: mallory });
    expect(events.map((event) => event.stage)).not.toContain('verified');

    expect(members.ledger.query(id)?.status).toBe('failed');
    const [session] = members.sessionsOf(id);
    expect(session?.receipts).toEqual([]);
    expect(session?.abort).toMatchObject({ by: 'researcher', reason: 'VERIFICATION_FAILED', blame: mallory });
    expect(session?.abort?.evidence).toMatch(/^[0-9a-f]{64}$/);

    const convicts = { format: 'healthchain-blame/1', blamed: mallory, check: 'SHARE_WRONG' };
    expect(evidence).toEqual([expect.objectContaining(convicts)]);
  });

  const out = (): string => join(members.folder, 'out');
  const path = (name: string): string => join(out(), name);

  /** Submits to all, and fetches from the command line, as a researcher does. */
  async function fetchAll(): Promise<{ id: string; config: string; ran: Ran }> {
    const id = await members.researcher.submit(query);
    const config = members.researcherConfig();
    return { id, config, ran: await cli('query', 'result', id, '--config', config, '--out', out()) };
  }

  test('leaves the researcher evidence that anyone can judge, with the command that is printed', async () => {
    const { id, config, ran } = await fetchAll();
    expectOneClearLine(ran, 'Abort VERIFICATION_FAILED [mallory]', /blame-evidence\.json/);
    expect(readdirSync(out()).sort()).toEqual(['blame-evidence.json', 'ledger.json']);
    const command = /healthchain (verify .*)\n/.exec(ran.stderr)![1]!.split(' ');
    const judged = await cli(...command);
    expect(judged.code, judged.stderr).toBe(0);
    for (const check of ['ledger', 'session', 'record', 'proof']) expect(judged.stderr).toContain(`✓ ${check}: `);
    expect(judged.stderr).toContain('Proved: mallory broke the protocol in this session.');
    expect(judged.stderr).toContain('Not proved: that it meant to');

    const status = await cli('query', 'status', id, '--config', config);
    const digest = members.sessionsOf(id)[0]!.abort!.evidence!;
    expect(status.stderr).toContain(`naming mallory; evidence ${digest.slice(0, 12)}`);
  });

  test('is convicted by no evidence in which one character is another, nor on such a ledger', async () => {
    const files = {
      evidence: readFileSync(path('blame-evidence.json'), 'utf8'),
      ledger: readFileSync(path('ledger.json'), 'utf8'),
    };
    expect(await verifyEvidence(files)).toMatchObject({ blamed: mallory, shown: 'SHARE_WRONG' });
    await fc.assert(
      fc.asyncProperty(fc.constantFrom('evidence', 'ledger'), fc.nat(1_000_000), fc.nat(63), async (name, k, by) => {
        const text = files[name];
        const places = [...text.matchAll(/\S/g)].map((match) => match.index);
        const place = places[k % places.length]!;
        const letter = ALPHABET[by] === text[place] ? '-' : ALPHABET[by]!;
        const changed = { ...files, [name]: text.slice(0, place) + letter + text.slice(place + 1) };
        const error: unknown = await verifyEvidence(changed).catch((each: unknown) => each);
        expect(error).toBeInstanceOf(VerificationError);
      }),
      { numRuns: 200 },
    );
  });

  test('verify as a process exits with 1 for altered evidence, and says which check failed', async () => {
    const text = readFileSync(path('blame-evidence.json'), 'utf8');
    writeFileSync(
      path('altered.json'),
      text.replace(/"transcript": "./, (start) => start.slice(0, -1) + (start.endsWith('0') ? '1' : '0')),
    );
    writeFileSync(path('other.json'), text.replace('"blamed": "mallory"', '"blamed": "anna"'));
    writeFileSync(path('half.json'), text.slice(0, text.length / 2));
    const judge = (file: string): Promise<Ran> => cli('verify', file, '--ledger', path('ledger.json'));
    for (const [name, check] of [
      ['altered.json', 'record: this is not the evidence whose digest is recorded'],
      ['other.json', 'record: this is not the evidence whose digest is recorded'],
      ['half.json', 'evidence: evidence: not JSON'],
    ] as const)
      expectOneClearLine(await judge(path(name)), `check failed: ${check}`, /check failed/);
    expectOneClearLine(await judge(path('none.json')), 'Misuse BAD_FILE', /does not exist/);
    const evidence = path('blame-evidence.json');
    const asked = await cli('verify', evidence, '--ledger', path('ledger.json'), '--result', evidence);
    expectOneClearLine(asked, 'Misuse BAD_CONFIG', /no result goes with it/);
  });

  test('and will not help to find the cheat is named for that', async () => {
    cheat.silent = true;
    const { id, error } = await askAll();
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', party: mallory });
    expect(members.sessionsOf(id)[0]?.abort).toMatchObject({ reason: 'BLAME_REFUSED', blame: mallory });
  });

  test('and what is heard of it then convicts nobody', async () => {
    expect((await fetchAll()).ran.code).toBe(1);
    const judged = await cli('verify', path('blame-evidence.json'), '--ledger', path('ledger.json'));
    expectOneClearLine(judged, 'check failed: proof: ', /STATEMENT_MISSING convicts nobody/);
  });

  test('does not keep the others from answering later', async () => {
    const id = await members.researcher.submit(query, { hospitals: [anna, bert] });
    const answer = await members.researcher.answer(id, { signal: AbortSignal.timeout(20_000) });
    expect(valuesOf(answer)['count']).toBe(2 * ROWS);
  });
});
