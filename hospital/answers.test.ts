import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { answerPull, type AnswerParts } from './answers.ts';
import { Outbox } from './outbox.ts';

const SESSION = '5'.repeat(64);
const request = { kind: 'share', session: SESSION, step: 0 } as const;

/** Of the parts, what a request for a share needs. */
function holding(untilOpened: (outbox: Outbox) => Promise<void>): AnswerParts {
  const outbox = new Outbox(join(mkdtempSync(join(tmpdir(), 'answers-')), 'outbox'));
  return { outbox, untilOpened: () => untilOpened(outbox) } as unknown as AnswerParts;
}

describe('a share that is asked for', () => {
  it('before it has opened is handed out once it has', async () => {
    const parts = holding((outbox) => outbox.store(SESSION, 0, [Buffer.from('sealed')]));
    const chunks: string[] = [];
    for await (const chunk of answerPull(parts, request)) chunks.push(Buffer.from(chunk).toString());
    expect(chunks).toEqual(['sealed']);
  });

  it('and does not open is refused as not there yet', async () => {
    const answer = answerPull(
      holding(() => Promise.resolve()),
      request,
    );
    await expect(answer.next()).rejects.toMatchObject({ name: 'Refusal', code: 'STALE' });
  });
});
