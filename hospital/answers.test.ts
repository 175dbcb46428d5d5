import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { World } from '../mpc/testing/world.ts';
import type { Modulus } from '../protocol/session.ts';
import { answerPull, type AnswerParts } from './answers.ts';
import { Outbox } from './outbox.ts';

const SESSION = '5'.repeat(64);
const request = { kind: 'share', session: SESSION, step: 0 } as const;

/** Of the parts, what a request for a share needs. */
function holding(untilOpened: (outbox: Outbox) => Promise<void>, standing: Standing = {}): AnswerParts {
  const outbox = new Outbox(join(mkdtempSync(join(tmpdir(), 'answers-')), 'outbox'));
  const ledger = {
    session: () => ({ query: 'q' }),
    query: () => ({ researcher: 'rita', ...(standing.query && { suspended: SUSPENDED }) }),
    organisation: () => ({ ...(standing.researcher && { suspended: SUSPENDED }) }),
  };
  return { ledger, outbox, untilOpened: () => untilOpened(outbox) } as unknown as AnswerParts;
}
const SUSPENDED = { by: 'audit', reason: 'an inquiry' };
interface Standing {
  query?: boolean;
  researcher?: boolean;
}

describe('a share that is asked for', () => {
  it('before it has opened is handed out once it has', async () => {
    const parts = holding((outbox) => outbox.store(SESSION, 0, [Buffer.from('sealed')]));
    const chunks: string[] = [];
    for await (const chunk of answerPull(parts, request)) chunks.push(Buffer.from(chunk).toString());
    expect(chunks).toEqual(['sealed']);
  });

  it.each([[{ query: true }], [{ researcher: true }]])('is kept while an auditor suspends: %o', async (standing) => {
    const store = (outbox: Outbox) => outbox.store(SESSION, 0, [Buffer.from('sealed')]);
    const refused = { name: 'Refusal', code: 'SUSPENDED' };
    await expect(answerPull(holding(store, standing), request).next()).rejects.toMatchObject(refused);
    // The suspension that comes while the request waits for the share to open.
    const meanwhile: Standing = {};
    const parts = holding(async (outbox) => {
      Object.assign(meanwhile, standing);
      await store(outbox);
    }, meanwhile);
    await expect(answerPull(parts, request).next()).rejects.toMatchObject(refused);
  });

  it('and does not open is refused as not there yet', async () => {
    const answer = answerPull(
      holding(() => Promise.resolve()),
      request,
    );
    await expect(answer.next()).rejects.toMatchObject({ name: 'Refusal', code: 'STALE' });
  });
});

describe('the part of a hospital in finding a cheat', () => {
  /** A step that opened here, of a session in this state. */
  async function opened(modulus: Modulus, session: object): Promise<AnswerParts> {
    const world = new World({ parties: 2, seed: 'answers' });
    const { agreed } = await world.agree([[5n], [7n]], 0, modulus);
    const [input] = agreed;
    const identity = world.identities.get(world.roster[0]!)!;
    return {
      ledger: { session: () => ({ query: 'q', receipts: [], ...session }), query: () => undefined },
      member: { organisation: world.roster[0]!, identity },
      opened: () => ({ input: input!, transcript: input!.transcript }),
    } as unknown as AnswerParts;
  }
  const failed = { abort: { reason: 'VERIFICATION_FAILED' } };
  const ask = async (parts: AnswerParts, kind: 'statement' | 'overflow'): Promise<Uint8Array> =>
    (await answerPull(parts, { kind, session: SESSION, step: 0 }).next()).value as Uint8Array;

  it.each(['statement', 'overflow'] as const)(
    'its %s is told once the ledger says that verification failed',
    async (kind) => {
      expect((await ask(await opened('2^128', failed), kind)).length).toBeGreaterThan(0);
      for (const state of [{}, { abort: { reason: 'DEADLINE' } }, { ...failed, receipts: ['d'.repeat(64)] }])
        await expect(ask(await opened('2^128', state), kind)).rejects.toMatchObject({ name: 'Refusal', code: 'STALE' });
    },
  );

  it('other work has its turn while a statement is made, and a suspension that comes with it counts', async () => {
    const parts = await opened('2^128', failed);
    setImmediate(() =>
      Object.assign(parts.ledger, {
        query: () => ({ researcher: 'rita', suspended: SUSPENDED }),
        organisation: () => ({}),
      }),
    );
    await expect(ask(parts, 'statement')).rejects.toMatchObject({ name: 'Refusal', code: 'SUSPENDED' });
  });

  it('shares mod l have no overflow to tell', async () => {
    const parts = await opened('l', failed);
    await expect(ask(parts, 'overflow')).rejects.toMatchObject({ name: 'Refusal', code: 'UNKNOWN' });
    expect(() => parts.opened(SESSION, 0)!.input.overflow()).toThrow(
      expect.objectContaining({ code: 'OUT_OF_ORDER' }) as Error,
    );
  });
});
