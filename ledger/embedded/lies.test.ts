import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalText } from '../../protocol/canonical.ts';
import { Abort, HealthchainError } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Entry, TreeHead } from '../../protocol/ledger.ts';
import { entryHash } from '../../protocol/ledger-text.ts';
import { signHead } from '../heads.ts';
import { merkleRoot } from '../merkle.ts';
import { makeExport } from '../testing/chains.ts';
import { actions, hex, type World } from '../testing/world.ts';
import { RemoteLedger } from './client.ts';
import type { Fetch } from './transport.ts';
import { readEvents } from './server-events.ts';

/** A server made of answers: whatever a dishonest operator, or whoever sits on the line, cares to say. */
interface Answers {
  head: unknown;
  entries: (from: number, limit: number) => unknown;
  submit?: unknown;
  raw?: (text: string) => string;
}
function serving(answers: Answers): Fetch {
  const respond = (document: unknown, status = 200): Response =>
    new Response((answers.raw ?? ((text) => text))(canonicalText(document)), { status });
  return (input) => {
    const url = new URL(input);
    const number = (name: string) => Number(url.searchParams.get(name));
    if (url.pathname === '/v1/head') return Promise.resolve(respond(answers.head));
    if (url.pathname === '/v1/entries')
      return Promise.resolve(respond({ entries: answers.entries(number('from'), number('limit')) }));
    if (url.pathname === '/v1/actions') return Promise.resolve(respond(answers.submit, 201));
    return Promise.reject(new TypeError('fetch failed'));
  };
}
const page =
  (entries: readonly Entry[]) =>
  (from: number, limit: number): readonly Entry[] =>
    entries.slice(from, from + limit);
const connect = (answers: Answers) =>
  RemoteLedger.connect({ url: 'http://ledger.test', fetch: serving(answers), deadlineMs: 60 });

const { document, operator, world } = await makeExport(6);
const { entries, head } = document;
const honest: Answers = { head, entries: page(entries) };
const signed = (size: number, root = hex(1)): TreeHead =>
  signHead(operator, { consortium: head.consortium, size, root: Buffer.from(root, 'hex') });

describe('a ledger that lies to a new member', () => {
  it('tells the truth to begin with', async () => {
    const ledger = await connect(honest);
    expect(ledger.head()).toEqual(head);
    await ledger.close();
  });

  const lies: Record<string, Partial<Answers>> = {
    'bad-entry-dropped': { entries: page(entries.toSpliced(2, 1)) },
    'bad-entry-withheld': { entries: page(entries.slice(0, 5)) },
    'bad-entries-swapped': { entries: page([entries[0]!, entries[2]!, entries[1]!, ...entries.slice(3)]) },
    'bad-entry-changed': { entries: page(entries.with(5, { ...entries[5]!, time: '2027-01-01T00:00:00.000Z' })) },
    'bad-entry-repeated': { entries: page([...entries.slice(0, 3), ...entries.slice(2)]) },
    'bad-other-page': { entries: () => entries.slice(1) },
    'bad-too-many': { head: { ...head }, entries: () => [...entries, ...entries] },
    'bad-root': { head: signed(6) },
    'bad-head-signature': { head: { ...head, signature: hex(1, 64) } },
    'bad-head-of-another-operator': {
      head: {
        ...signHead(Identity.generate(), { consortium: head.consortium, size: 6, root: Buffer.from(head.root, 'hex') }),
        publicKey: operator.publicKey,
      },
    },
    'bad-head-of-another-consortium': {
      head: signHead(operator, { consortium: hex(9), size: 6, root: Buffer.from(head.root, 'hex') }),
    },
  };
  it.each(Object.entries(lies))('%s', async (_name, lie) => {
    await expect(connect({ ...honest, ...lie })).rejects.toMatchObject({ name: 'Abort', code: 'FORGED_LEDGER' });
  });
});

describe('a ledger that lies about a submission', () => {
  const submitting = async (answers: Partial<Answers>, member: World['members']['board']) => {
    const ledger = await connect({ ...honest, ...answers });
    try {
      return await ledger.submit(member, actions.register('new'));
    } finally {
      await ledger.close();
    }
  };
  const forged = { name: 'Abort', code: 'FORGED_LEDGER' };
  it('bad-not-recorded', async () => {
    const submit = { index: 6, id: '', head };
    await expect(submitting({ submit }, world.members.board)).rejects.toMatchObject(forged);
  });
  it('bad-other-entry', async () => {
    const submit = { index: 3, id: '', head };
    await expect(submitting({ submit }, world.members.board)).rejects.toMatchObject(forged);
  });
  it('bad-head', async () => {
    const submit = { index: 6, id: '', head: signed(7) };
    await expect(submitting({ submit }, world.members.board)).rejects.toMatchObject(forged);
  });
  it('bad-same-size-other-root', async () => {
    const submit = { index: 5, id: '', head: signed(6) };
    await expect(submitting({ submit }, world.members.board)).rejects.toMatchObject({ code: 'LEDGER_FORK' });
  });
});

describe('a ledger that lies on its stream, several heads at once', () => {
  const leaves = entries.map((entry) => fromHex(entryHash(entry), 32));
  const at = (size: number): TreeHead => signed(size, toHex(merkleRoot(leaves.slice(0, size))));
  const following = (heads: readonly TreeHead[]): Promise<RemoteLedger> => {
    const events = heads.map((each) => {
      const batch = { entries: entries.slice(each.size - 1, each.size), head: each };
      return `event: batch\ndata: ${canonicalText(batch)}\n\n`;
    });
    const rest = serving({ ...honest, head: at(3) });
    const fetch: Fetch = (input, init) =>
      new URL(input).pathname === '/v1/stream' ? Promise.resolve(new Response(events.join(''))) : rest(input, init);
    return RemoteLedger.connect({ url: 'http://ledger.test', fetch, deadlineMs: 60 });
  };
  const caught = async (heads: readonly TreeHead[]): Promise<unknown> => {
    const ledger = await following(heads);
    const error = await expect
      .poll(() => ledger.refresh().catch((each: unknown) => (each instanceof Abort ? each.code : undefined)))
      .toBeDefined()
      .then(() => ledger.refresh().catch((each: unknown) => each));
    await ledger.close();
    return error;
  };

  it('tells the truth to begin with', async () => {
    const ledger = await following([at(4), at(5), at(6)]);
    await expect.poll(() => ledger.head()).toEqual(at(6));
    await ledger.close();
  });
  it('bad-first-head-of-another-past', async () =>
    expect(await caught([signed(4), at(5), at(6)])).toMatchObject({ name: 'Abort', code: 'LEDGER_FORK' }));
  it('bad-head-between-of-another-past', async () =>
    expect(await caught([at(4), signed(5), at(6)])).toMatchObject({ name: 'Abort', code: 'LEDGER_FORK' }));
  it('bad-head-between-of-nobody', async () =>
    expect(await caught([at(4), { ...at(5), root: hex(3) }, at(6)])).toMatchObject({ code: 'FORGED_LEDGER' }));
  it('bad-last-head', async () =>
    expect(await caught([at(4), at(5), signed(6)])).toMatchObject({ code: 'FORGED_LEDGER' }));
});

describe('answers that are garbage', () => {
  it('give typed errors only', async () => {
    const mutation = fc.tuple(fc.nat(), fc.string({ unit: 'binary', maxLength: 8 }), fc.nat({ max: 20 }));
    await fc.assert(
      fc.asyncProperty(mutation, async ([at, insert, skip]) => {
        const raw = (text: string) => text.slice(0, at % text.length) + insert + text.slice((at % text.length) + skip);
        const result: unknown = await connect({ ...honest, raw }).catch((error: unknown) => error);
        if (result instanceof RemoteLedger) {
          expect(result.head()).toEqual(head);
          await result.close();
        } else expect(result).toBeInstanceOf(HealthchainError);
      }),
      { numRuns: 100 },
    );
  });

  it('of random bytes too', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 200 }), fc.integer({ min: 200, max: 599 }), async (bytes, status) => {
        const body = [204, 205, 304].includes(status) ? null : new Uint8Array(bytes);
        const fetch: Fetch = () => Promise.resolve(new Response(body, { status }));
        const connecting = RemoteLedger.connect({ url: 'http://ledger.test', fetch, deadlineMs: 1 });
        await expect(connecting).rejects.toMatchObject({ name: 'Fault', code: 'LEDGER_DOWN' });
      }),
      { numRuns: 100 },
    );
  });

  it('in the event stream end in a fault or in events of text', async () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string().map((text) => Buffer.from(`data:${text}\n\n`)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { maxLength: 5 }), async (parts) => {
        const stream = ReadableStream.from(parts) as ReadableStream<Uint8Array>;
        try {
          for await (const { data } of readEvents(stream, 256)) expect(typeof data).toBe('string');
        } catch (error) {
          expect(error).toMatchObject({ name: 'Fault', code: 'LEDGER_DOWN' });
        }
      }),
    );
  });
});
