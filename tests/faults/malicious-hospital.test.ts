import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { writeEvidence } from '../../cli/answer-files.ts';
import { blameEvidence, evidenceShows } from '../../mpc/sum/evidence.ts';
import { fromHex } from '../../protocol/bytes.ts';
import type { Abort } from '../../protocol/errors.ts';
import type { Progress } from '../../researcher/progress.ts';
import { until, valuesOf } from '../end-to-end/world.ts';
import { CheatingNode } from './cheating-node.ts';
import { Members, query, ROWS } from './members.ts';

const [anna, bert, mallory] = ['anna', 'bert', 'mallory'] as const;

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

    const out = join(members.folder, 'out');
    writeEvidence(out, evidence[0]!);
    expect(existsSync(join(out, 'result.json'))).toBe(false);
    const document = blameEvidence.parse(JSON.parse(readFileSync(join(out, 'blame-evidence.json'), 'utf8')));
    expect(document).toMatchObject({ blamed: mallory, check: 'SHARE_WRONG' });
    const { roster, commitments } = session!;
    const view = {
      roster,
      commitments: roster.map((party) => fromHex(commitments[0]![party]!, 32)),
      identityKeys: (party: string) => members.ledger.organisation(party)!.keys.map((key) => key.publicKey),
    };
    expect(evidenceShows(document, view)).toBe(true);
    expect(evidenceShows({ ...document, blamed: anna }, view)).toBe(false);
  });

  test('and will not help to find the cheat is named for that', async () => {
    cheat.silent = true;
    const { id, error } = await askAll();
    expect(error).toMatchObject({ code: 'VERIFICATION_FAILED', party: mallory });
    expect(members.sessionsOf(id)[0]?.abort).toMatchObject({ reason: 'BLAME_REFUSED', blame: mallory });
  });

  test('does not keep the others from answering later', async () => {
    const id = await members.researcher.submit(query, { hospitals: [anna, bert] });
    const answer = await members.researcher.answer(id, { signal: AbortSignal.timeout(20_000) });
    expect(valuesOf(answer)['count']).toBe(2 * ROWS);
  });
});
