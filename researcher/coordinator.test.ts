import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { Abort } from '../protocol/errors.ts';
import { MAX_PAYLOAD } from '../protocol/frame.ts';
import { Identity } from '../protocol/identity.ts';
import { CoordinatorClient } from './coordinator.ts';

const member = { organisation: 'rita', identity: Identity.generate() };

/** Fetches a share from a coordinator that answers so, and returns copies of its chunks. */
async function fetchFrom(
  answer: (response: ServerResponse) => void,
  take: (chunk: Uint8Array) => void = () => undefined,
): Promise<Uint8Array[]> {
  const server = createServer((_, response) => answer(response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const chunks: Uint8Array[] = [];
  try {
    const client = new CoordinatorClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const of = { session: 'ab'.repeat(32), step: 0, signal: AbortSignal.timeout(5000) };
    await client.share(member, of, 'north', (chunk) => {
      chunks.push(Uint8Array.from(chunk));
      take(chunk);
    });
    return chunks;
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

function prefixed(chunk: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(chunk.length);
  return Buffer.concat([length, chunk]);
}

const END = Buffer.alloc(4);
const small = Buffer.from('small');
const large = Buffer.alloc(MAX_PAYLOAD, 'large');

test('chunks come whole and in order, however the body is cut', async () => {
  const body = Buffer.concat([prefixed(small), prefixed(large), prefixed(small), END]);
  for (const cut of [body.length, 70_001, 5000]) {
    const chunks = await fetchFrom((response) => {
      for (let at = 0; at < body.length; at += cut) response.write(body.subarray(at, at + cut));
      response.end();
    });
    expect(chunks.map((chunk) => Buffer.from(chunk).equals(small) || Buffer.from(chunk).equals(large))).toEqual([
      true,
      true,
      true,
    ]);
    expect(chunks.map(({ length }) => length)).toEqual([small.length, large.length, small.length]);
  }
});

test('a body without its end is a broken download', async () => {
  await expect(fetchFrom((response) => response.end(prefixed(small)))).rejects.toMatchObject({ code: 'NETWORK' });
});

test('a body that is cut off in a chunk is a broken download', async () => {
  const answer = (response: ServerResponse): void => {
    response.write(prefixed(large).subarray(0, 100_000), () => response.destroy());
  };
  await expect(fetchFrom(answer)).rejects.toMatchObject({ kind: 'Fault' });
});

test('a chunk longer than allowed is refused', async () => {
  await expect(fetchFrom((response) => response.end(Buffer.alloc(4, 255)))).rejects.toMatchObject({ code: 'NETWORK' });
});

test('what follows the end is not waited for', async () => {
  const chunks = await fetchFrom((response) => response.write(Buffer.concat([prefixed(small), END, small])));
  expect(chunks).toHaveLength(1);
});

test('an error over a chunk ends the download, and is the error of the fetch', async () => {
  const forged = new Abort('FORGED_SHARE', 'forged', { party: 'north' });
  const fetching = fetchFrom(
    (response) => response.write(prefixed(small)),
    () => {
      throw forged;
    },
  );
  await expect(fetching).rejects.toBe(forged);
});
