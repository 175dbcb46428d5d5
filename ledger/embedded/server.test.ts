import { execFileSync } from 'node:child_process';
import { request } from 'node:https';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromHex } from '../../protocol/bytes.ts';
import { canonicalText, checkDocument, decodeCanonical, decodeDocument } from '../../protocol/canonical.ts';
import { entryHash } from '../../protocol/ledger-text.ts';
import { ledgerExport, treeHead, type SignedAction } from '../../protocol/ledger.ts';
import { verifyConsistency, verifyInclusion } from '../merkle.ts';
import { signAction } from '../sign.ts';
import { CLOCK, temporaryFolder, testServer } from '../testing/folder.ts';
import { actions, makeWorld } from '../testing/world.ts';
import { verifyExport } from '../verify.ts';
import { startLedgerServer } from './server.ts';
import { readEvents } from './server-events.ts';
import { acknowledgement, entryBatch, entryPage, errorRecord, proof } from './wire.ts';

const post = (url: string, body: string | Uint8Array<ArrayBuffer>) =>
  fetch(`${url}/v1/actions`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
const submit = (url: string, signed: SignedAction) => post(url, canonicalText(signed));
const get = async (url: string): Promise<unknown> => (await fetch(url)).json();

describe('the HTTP interface', () => {
  it('acknowledges, lists, proves and exports', async () => {
    const { server, world } = await testServer();
    const { url } = server;
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const answer = await submit(url, signAction(world.members.board, server.consortium, actions.register(name)));
      expect(answer.status).toBe(201);
      checkDocument(acknowledgement, await answer.json(), { what: 'acknowledgement' });
    }
    const { entries } = checkDocument(entryPage, await get(`${url}/v1/entries?from=1&limit=3`), { what: 'entries' });
    expect(entries.map(({ index }) => index)).toEqual([1, 2, 3]);
    expect(entries[0]!.time).toBe('2026-01-01T00:00:00.000Z');
    const head = checkDocument(treeHead, await get(`${url}/v1/head`), { what: 'head' });
    expect(head).toMatchObject({ size: 6, consortium: server.consortium, publicKey: server.operatorPublicKey });
    const root = fromHex(head.root, 32);

    const hashes = async (path: string) =>
      checkDocument(proof, await get(`${url}${path}`), { what: 'proof' }).proof.map((hash) => fromHex(hash, 32));
    const inclusion = await hashes('/v1/proof/inclusion?index=2&size=6');
    expect(verifyInclusion({ index: 2, size: 6, leaf: fromHex(entryHash(entries[1]!), 32), root }, inclusion)).toBe(
      true,
    );

    const text = await (await fetch(`${url}/v1/export`)).text();
    const verified = await verifyExport(decodeCanonical(ledgerExport, text, { what: 'export' }), {
      consortium: server.consortium,
      operator: server.operatorPublicKey,
    });
    const consistency = await hashes('/v1/proof/consistency?from=3&to=6');
    const fromRoot = fromHex(verified.rootAt(3), 32);
    expect(verifyConsistency({ from: 3, to: 6, fromRoot, toRoot: root }, consistency)).toBe(true);
    expect(await get(`${url}/health`)).toEqual({ status: 'ok', size: 6 });
  });

  it('streams entries with the head that covers them, and what comes later', async () => {
    const { server, world } = await testServer();
    const leave = new AbortController();
    const answer = await fetch(`${server.url}/v1/stream?from=0`, { signal: leave.signal });
    const seen: { indices: number[]; size: number }[] = [];
    for await (const { event, data } of readEvents(answer.body!, 1 << 20)) {
      if (event !== 'batch') continue;
      const { entries, head } = decodeDocument(entryBatch, data, { what: 'batch' });
      seen.push({ indices: entries.map(({ index }) => index), size: head.size });
      if (seen.length === 2) break;
      await submit(server.url, signAction(world.members.board, server.consortium, actions.schema()));
    }
    leave.abort();
    expect(seen).toEqual([
      { indices: [0], size: 1 },
      { indices: [1], size: 2 },
    ]);
  });

  it('says no with status and record', async () => {
    const { server, world } = await testServer();
    const { url, consortium } = server;
    const sign = (who: keyof typeof world.members, action = actions.schema()) =>
      signAction(world.members[who], consortium, action);
    await submit(url, sign('board'));
    const deep = `${'{"not":'.repeat(20_000)}1${'}'.repeat(20_000)}`;
    const nested = canonicalText(sign('rita', actions.submit())).replace('"query":{', `"query":{"cohort":${deep},`);
    const lonely = { ...sign('board'), action: { ...actions.deny('0'.repeat(64)), reason: '\ud800' } };
    const cases: [string, Promise<Response>, number, string][] = [
      ['refused', submit(url, sign('rita', actions.schema(2))), 403, 'NOT_AUTHORIZED'],
      ['forged', submit(url, { ...sign('board'), signature: '0'.repeat(128) }), 403, 'BAD_SIGNATURE'],
      ['repeated', submit(url, sign('board')), 409, 'ALREADY_DONE'],
      ['stale', submit(url, sign('board', actions.schema(7))), 409, 'STALE'],
      ['not JSON', post(url, 'hello'), 400, 'MALFORMED'],
      ['not UTF-8', post(url, Uint8Array.of(0xff, 0xfe)), 400, 'MALFORMED'],
      ['unknown key', post(url, JSON.stringify({ ...sign('board'), more: 1 })), 400, 'MALFORMED'],
      ['nested too deeply', post(url, nested), 400, 'MALFORMED'],
      ['not Unicode', post(url, JSON.stringify(lonely)), 400, 'MALFORMED'],
      ['too large', post(url, ' '.repeat((1 << 20) + 1)), 413, 'TOO_LARGE'],
      ['no number', fetch(`${url}/v1/entries?from=-1`), 400, 'MALFORMED'],
      ['no parameter', fetch(`${url}/v1/proof/inclusion?index=0`), 400, 'MALFORMED'],
      ['out of range', fetch(`${url}/v1/proof/inclusion?index=0&size=99`), 400, 'OUT_OF_RANGE'],
      ['no path', fetch(`${url}/v2`), 404, 'MALFORMED'],
    ];
    for (const [what, answering, status, code] of cases) {
      const answer = await answering;
      const record = checkDocument(errorRecord, await answer.json(), { what });
      expect([what, answer.status, record.code]).toEqual([what, status, code]);
    }
    expect(await get(`${url}/health`)).toEqual({ status: 'ok', size: 2 });
  });

  it('limits an address that asks too often', async () => {
    const { server } = await testServer({ rate: { perSecond: 1, burst: 5 } });
    const answers = await Promise.all(Array.from({ length: 8 }, () => fetch(`${server.url}/health`)));
    expect(answers.filter(({ status }) => status === 429).length).toBeGreaterThanOrEqual(2);
  });
});

describe('a server', () => {
  it('says that its port or its folder is in use', async () => {
    const { server, folder } = await testServer();
    const port = Number(new URL(server.url).port);
    const options = { host: '127.0.0.1', port, founding: makeWorld().founding, clock: CLOCK };
    const elsewhere = await temporaryFolder();
    const error: unknown = await startLedgerServer({ ...options, folder: elsewhere }).catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'Fault', code: 'PORT_IN_USE', hint: expect.any(String) as string });
    await expect(startLedgerServer({ ...options, port: 0, folder })).rejects.toMatchObject({ code: 'BAD_CONFIG' });
    // What did not start holds nothing.
    const other = await startLedgerServer({ ...options, port: 0, folder: elsewhere, founding: undefined });
    await other.close();
  });

  it('closes under open streams, and opens again as the same ledger', async () => {
    const { server, folder, world } = await testServer();
    const stream = await fetch(`${server.url}/v1/stream`);
    expect(stream.status).toBe(200);
    await server.close();
    const again = await startLedgerServer({ folder, host: '127.0.0.1', port: 0, clock: CLOCK });
    expect(again.consortium).toBe(server.consortium);
    expect(again.operatorPublicKey).toBe(server.operatorPublicKey);
    const answer = await submit(again.url, signAction(world.members.board, again.consortium, actions.schema()));
    expect(answer.status).toBe(201);
    await again.close();
  });

  it('speaks TLS with a given key and certificate', async () => {
    const home = await temporaryFolder();
    const [key, cert] = [join(home, 'key.pem'), join(home, 'cert.pem')];
    const subject = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    execFileSync('openssl', [...make, '-keyout', key, '-out', cert, ...subject], { stdio: 'ignore' });
    const { server } = await testServer({ tls: { key, cert } });
    const asked = request(`${server.url}/health`, { ca: readFileSync(cert), agent: false });
    asked.end();
    const [answer] = (await once(asked, 'response')) as [IncomingMessage];
    expect(answer.statusCode).toBe(200);
    answer.resume();
    await expect(testServer({ tls: { key: join(home, 'no'), cert } })).rejects.toMatchObject({ code: 'BAD_CONFIG' });
  });
});
