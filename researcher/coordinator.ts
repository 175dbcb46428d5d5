import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Member } from '../ledger/ledger.ts';
import { decodeDocument } from '../protocol/canonical.ts';
import { asHealthchainError, errorFromRecord, Fault, type HealthchainError } from '../protocol/errors.ts';
import { errorRecord, MAX_PAYLOAD, type PullRequest } from '../protocol/frame.ts';
import { PROOF_HEADER, proveRequest } from '../protocol/request.ts';

const ERROR_LIMIT = 16_384;

/** The coordinator's HTTP API as the researcher uses it. Requests are signed; answers are sealed end to end. */
export class CoordinatorClient {
  readonly #url: string;

  constructor(url: string) {
    this.#url = url.replace(/\/$/, '');
  }

  /** A hospital's sealed share, chunk by chunk. Errors: what the hospital or the coordinator refused with; `Fault NETWORK`. */
  async *share(
    member: Member,
    of: { session: string; step: number; signal: AbortSignal },
    hospital: string,
  ): AsyncGenerator<Uint8Array> {
    yield* this.#stream(
      member,
      'GET',
      `/v1/sessions/${of.session}/shares/${hospital}?step=${of.step}`,
      undefined,
      of.signal,
    );
  }

  /** A hospital's part in finding a cheat. */
  async pull(member: Member, request: PullRequest, hospital: string, signal: AbortSignal): Promise<Uint8Array> {
    const chunks: Uint8Array[] = [];
    const target = `/v1/sessions/${request.session}/pull/${hospital}`;
    for await (const chunk of this.#stream(member, 'POST', target, JSON.stringify(request), signal))
      chunks.push(Uint8Array.from(chunk));
    return Buffer.concat(chunks);
  }

  async *#stream(
    member: Member,
    method: 'GET' | 'POST',
    target: string,
    body: string | undefined,
    signal: AbortSignal,
  ): AsyncGenerator<Uint8Array> {
    const proof = proveRequest(member, { method, target, body: Buffer.from(body ?? '') }, Date.now());
    const headers = { [PROOF_HEADER]: proof, ...(body === undefined ? {} : { 'content-type': 'application/json' }) };
    try {
      const response = await send(new URL(this.#url + target), { method, headers, signal, body });
      if (response.statusCode !== 200) throw await errorOf(response);
      yield* readChunks(response);
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
    request.end(body);
  });
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
 * Splits a body into its length-prefixed chunks; the zero length at the end proves that nothing was cut off. A chunk is
 * valid until the next is asked for: one buffer serves them all.
 */
async function* readChunks(body: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const space = Buffer.allocUnsafeSlow(MAX_PAYLOAD);
  const prefix = Buffer.alloc(4);
  let need = 4;
  let have = 0;
  let into = prefix;
  for await (const part of body) {
    for (let at = 0; at < part.length;) {
      const taken = part.copy(into, have, at, Math.min(part.length, at + need - have));
      at += taken;
      have += taken;
      if (have < need) break;
      have = 0;
      if (into === space) {
        yield space.subarray(0, need);
        [into, need] = [prefix, 4];
        continue;
      }
      need = prefix.readUInt32BE(0);
      if (need === 0) return;
      if (need > MAX_PAYLOAD) throw new Fault('NETWORK', 'a chunk is longer than allowed');
      into = space;
    }
  }
  throw new Fault('NETWORK', 'the download broke off before its end', { hint: 'It is tried again by itself.' });
}
