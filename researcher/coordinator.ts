import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import type { Member } from '../ledger/ledger.ts';
import { discard } from '../protocol/bytes.ts';
import { decodeDocument } from '../protocol/canonical.ts';
import { asHealthchainError, errorFromRecord, Fault, Refusal, type HealthchainError } from '../protocol/errors.ts';
import { errorRecord, MAX_PAYLOAD, type PullRequest } from '../protocol/frame.ts';
import { PROOF_HEADER, proveRequest } from '../protocol/request.ts';

const ERROR_LIMIT = 16_384;

/** The coordinator's HTTP API as the researcher uses it. Requests are signed; shares are sealed end to end. */
export class CoordinatorClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  /**
   * Hands over a hospital's sealed share chunk by chunk; a chunk is valid during the call. Errors: what the hospital or the coordinator
   * refused with; `Fault NETWORK`; what `take` throws, which ends the download.
   */
  async share(
    member: Member,
    of: { session: string; step: number; signal: AbortSignal },
    hospital: string,
    take: (chunk: Uint8Array) => void,
  ): Promise<void> {
    const target = `/v1/sessions/${of.session}/shares/${hospital}?step=${of.step}`;
    await this.#stream(member, 'GET', target, undefined, of.signal, take);
  }

  /** A hospital's part in finding a cheat, not sealed. Errors: as `share`, and `Refusal TOO_LARGE` for more than `limit` bytes. */
  async pull(
    member: Member,
    request: PullRequest,
    hospital: string,
    signal: AbortSignal,
    limit: number,
  ): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    let length = 0;
    const target = `/v1/sessions/${request.session}/pull/${hospital}`;
    await this.#stream(member, 'POST', target, JSON.stringify(request), signal, (chunk) => {
      length += chunk.length;
      if (length > limit)
        throw new Refusal('TOO_LARGE', `${hospital} sends more than ${limit} bytes`, { party: hospital });
      chunks.push(Uint8Array.from(chunk));
    });
    return Buffer.concat(chunks);
  }

  async #stream(
    member: Member,
    method: 'GET' | 'POST',
    target: string,
    body: string | undefined,
    signal: AbortSignal,
    take: (chunk: Uint8Array) => void,
  ): Promise<void> {
    const proof = proveRequest(member, { method, target, body: Buffer.from(body ?? '') }, Date.now());
    const headers = { [PROOF_HEADER]: proof, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    try {
      const response = await send(new URL(this.#url + target), { method, headers, signal, body });
      if (response.statusCode !== 200) throw await errorOf(response);
      await readChunks(response, take);
    } catch (error) {
      if (signal.aborted) throw signal.reason;
      throw asHealthchainError(
        error,
        (cause) =>
          new Fault('COORDINATOR_DOWN', `the coordinator at ${this.#url} does not answer`, {
            hint: 'Check the address and that it is running.',
            cause,
          }),
      );
    }
  }
}

interface Sent {
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly signal: AbortSignal;
  readonly body: string | undefined;
}

/** Node's own client: of a share of many megabytes, `fetch` would copy every byte through web streams. */
function send(url: URL, { body, ...options }: Sent): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const request = (url.protocol === 'https:' ? https : http).request(url, options, resolve);
    request.on('error', reject);
    request.on('socket', giveBack);
    request.end(body);
  });
}

/**
 * Gives back what comes off the socket as soon as the HTTP parser, which listens first, has copied it: left to the garbage collector,
 * it would be collected several times for each share. A socket that is used again has the parser's listener added anew.
 */
function giveBack(socket: Socket): void {
  socket.off('data', discard);
  if (socket.listenerCount('data') > 0) socket.on('data', discard);
}

async function errorOf(response: IncomingMessage): Promise<HealthchainError> {
  const status = response.statusCode ?? 0;
  try {
    const parts: Buffer[] = [];
    let size = 0;
    for await (const part of response as AsyncIterable<Buffer>) {
      size += part.length;
      if (size <= ERROR_LIMIT) parts.push(part);
    }
    return errorFromRecord(decodeDocument(errorRecord, Buffer.concat(parts), { what: 'error', limit: ERROR_LIMIT }));
  } catch {
    return new Fault('COORDINATOR_DOWN', `the coordinator answered with HTTP status ${status}`);
  }
}

/**
 * Splits a body into its length-prefixed chunks; the zero length at the end proves that nothing was cut off. One buffer
 * serves all chunks. Parts are worked on as they come off the socket: an iterator over the body would join them into new buffers first.
 */
function readChunks(body: IncomingMessage, take: (chunk: Uint8Array) => void): Promise<void> {
  const splitter = new ChunkSplitter(take);
  return new Promise((resolve, reject) => {
    body.on('data', (part: Buffer) => {
      try {
        // What follows the end would be read by nobody.
        if (splitter.ended) body.destroy();
        else splitter.add(part);
        if (splitter.ended) resolve();
        // Node's HTTP parser hands out copies, which nobody else holds.
        discard(part);
      } catch (error) {
        body.destroy(error as Error);
      }
    });
    body.on('error', reject);
    body.on('close', () => {
      if (!splitter.ended)
        reject(new Fault('NETWORK', 'the download broke off before its end', { hint: 'It is tried again by itself.' }));
    });
  });
}

class ChunkSplitter {
  readonly #take: (chunk: Uint8Array) => void;
  readonly #prefix = Buffer.alloc(4);
  readonly #space = Buffer.allocUnsafeSlow(MAX_PAYLOAD);
  #into = this.#prefix;
  #need = 4;
  #have = 0;
  ended = false;

  constructor(take: (chunk: Uint8Array) => void) {
    this.#take = take;
  }

  add(part: Buffer): void {
    for (let at = 0; at < part.length && !this.ended;) {
      const taken = part.copy(this.#into, this.#have, at, at + this.#need - this.#have);
      at += taken;
      this.#have += taken;
      if (this.#have === this.#need) this.#next();
    }
  }

  #next(): void {
    this.#have = 0;
    if (this.#into === this.#space) {
      const chunk = this.#space.subarray(0, this.#need);
      [this.#into, this.#need] = [this.#prefix, 4];
      this.#take(chunk);
      return;
    }
    this.#need = this.#prefix.readUInt32BE(0);
    this.ended = this.#need === 0;
    if (this.#need > MAX_PAYLOAD) throw new Fault('NETWORK', 'a chunk is longer than allowed');
    this.#into = this.#space;
  }
}
