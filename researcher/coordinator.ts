import type { Member } from '../ledger/ledger.ts';
import { decodeDocument } from '../protocol/canonical.ts';
import { asHealthchainError, errorFromRecord, Fault, type HealthchainError } from '../protocol/errors.ts';
import { errorRecord, MAX_PAYLOAD, type PullRequest } from '../protocol/frame.ts';
import { PROOF_HEADER, proveRequest } from '../protocol/request.ts';

/** The coordinator's HTTP API as the researcher uses it. Requests are signed; answers are sealed end to end. */
export class CoordinatorClient {
  readonly #url: string;
  readonly #fetch: typeof globalThis.fetch;

  constructor(url: string, fetch: typeof globalThis.fetch = globalThis.fetch) {
    this.#url = url.replace(/\/$/, '');
    this.#fetch = fetch;
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
    for await (const chunk of this.#stream(member, 'POST', target, JSON.stringify(request), signal)) chunks.push(chunk);
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
    try {
      const response = await this.#fetch(this.#url + target, {
        method,
        signal,
        headers: { [PROOF_HEADER]: proof, ...(body === undefined ? {} : { 'content-type': 'application/json' }) },
        ...(body === undefined ? {} : { body }),
      });
      if (!response.ok) throw await errorOf(response);
      yield* readChunks(response.body!);
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

async function errorOf(response: Response): Promise<HealthchainError> {
  try {
    return errorFromRecord(decodeDocument(errorRecord, await response.text(), { what: 'error', limit: 16_384 }));
  } catch {
    return new Fault('COORDINATOR_DOWN', `the coordinator answered with HTTP status ${response.status}`);
  }
}

/** Splits a body of length-prefixed chunks; the zero length at the end proves that nothing was cut off. */
async function* readChunks(body: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array> {
  let parts: Uint8Array[] = [];
  let have = 0;
  const take = (length: number): Buffer => {
    const whole = Buffer.concat(parts, have);
    parts = [whole.subarray(length)];
    have -= length;
    return whole.subarray(0, length);
  };
  let need = 4;
  let inChunk = false;
  for await (const part of body) {
    parts.push(part);
    have += part.length;
    while (have >= need) {
      const bytes = take(need);
      if (inChunk) {
        yield bytes;
        [need, inChunk] = [4, false];
        continue;
      }
      const length = bytes.readUInt32BE(0);
      if (length === 0) return;
      if (length > MAX_PAYLOAD) throw new Fault('NETWORK', 'a chunk is longer than allowed');
      [need, inChunk] = [length, true];
    }
  }
  throw new Fault('NETWORK', 'the download broke off before its end', { hint: 'It is tried again by itself.' });
}
