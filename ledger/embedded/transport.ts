import type { z } from 'zod';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { asHealthchainError, errorFromRecord, Fault, HealthchainError } from '../../protocol/errors.ts';
import { treeHead, type Entry, type SignedAction, type TreeHead } from '../../protocol/ledger.ts';
import { readEvents, type ServerEvent } from './server-events.ts';
import { acknowledgement, ANSWER_LIMIT, entryPage, errorRecord, HEARTBEAT_MS, PAGE_ENTRIES, proof } from './wire.ts';

/** As much of the platform's fetch as is used; a dispatcher for a custom CA or proxy goes behind it. */
export type Fetch = (url: string, request: RequestInit) => Promise<Response>;

/** One request is given up after this long; the ledger's deadline covers all retries. */
const REQUEST_MS = 10_000;

/**
 * The embedded ledger's HTTP interface as its client calls it. Believes nothing but the form of answers.
 *
 * Errors: the ledger's own `Refusal` or `Misuse`; everything that may pass with time (no connection, an answer that is no
 * ledger's, a fault over there) is `Fault LEDGER_DOWN`.
 */
export class LedgerTransport {
  readonly #url: string;
  readonly #fetch: Fetch;

  constructor(url: string, fetch: Fetch) {
    this.#url = url.replace(/\/+$/, '');
    this.#fetch = fetch;
  }

  head(): Promise<TreeHead> {
    return this.#get('/v1/head', treeHead, 'tree head');
  }
  submit(signed: SignedAction): Promise<z.infer<typeof acknowledgement>> {
    const request = { method: 'POST', body: canonicalText(signed), headers: { 'content-type': 'application/json' } };
    return this.#ask('/v1/actions', request, acknowledgement, 'acknowledgement');
  }
  async entries(from: number, to: number): Promise<readonly Entry[]> {
    const limit = Math.min(to - from, PAGE_ENTRIES);
    return (await this.#get(`/v1/entries?from=${from}&limit=${limit}`, entryPage, 'entries')).entries;
  }
  async consistency(from: number, to: number): Promise<readonly Uint8Array[]> {
    const answer = await this.#get(`/v1/proof/consistency?from=${from}&to=${to}`, proof, 'consistency proof');
    return answer.proof.map((hash) => new Uint8Array(Buffer.from(hash, 'hex')));
  }

  /** Events from entry `from` on, until the connection ends, the signal does, or three heartbeats are missed. */
  async *stream(from: number, signal: AbortSignal): AsyncGenerator<ServerEvent> {
    const silence = new AbortController();
    const timer = setTimeout(() => silence.abort(), 3 * HEARTBEAT_MS);
    try {
      const response = await this.#send(`/v1/stream?from=${from}`, {
        signal: AbortSignal.any([signal, silence.signal]),
      });
      if (!response.ok || response.body === null) throw down(`the stream answered with status ${response.status}`);
      for await (const event of readEvents(response.body, ANSWER_LIMIT)) {
        timer.refresh();
        yield event;
      }
    } finally {
      clearTimeout(timer);
      silence.abort();
    }
  }

  #get<T>(path: string, type: z.ZodType<T>, what: string): Promise<T> {
    return this.#ask(path, {}, type, what);
  }

  async #ask<T>(path: string, request: RequestInit, type: z.ZodType<T>, what: string): Promise<T> {
    const response = await this.#send(path, { ...request, signal: AbortSignal.timeout(REQUEST_MS) });
    const body = await readBody(response);
    if (!response.ok) throw errorOf(response.status, body);
    return understood(() => decodeDocument(type, body, { what, limit: ANSWER_LIMIT }));
  }

  async #send(path: string, request: RequestInit): Promise<Response> {
    try {
      return await this.#fetch(`${this.#url}${path}`, { redirect: 'error', ...request });
    } catch (cause) {
      throw down('no connection', cause);
    }
  }
}

async function readBody(response: Response): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  try {
    const body: ReadableStream<Uint8Array> | null = response.body;
    for await (const part of body ?? []) {
      size += part.length;
      if (size > ANSWER_LIMIT) throw down('its answer is too long');
      parts.push(part);
    }
  } catch (cause) {
    throw asHealthchainError(cause, () => down('the connection broke', cause));
  }
  return Buffer.concat(parts);
}

function errorOf(status: number, body: Uint8Array): HealthchainError {
  const record = understood(() => decodeDocument(errorRecord, body, { what: `answer of status ${status}` }));
  const error = errorFromRecord(record);
  return error.kind === 'Refusal' || error.kind === 'Misuse' ? error : down(error.message, error);
}

/** Proxies and captive portals answer too: what is not the ledger's form is no answer of the ledger. */
function understood<T>(decode: () => T): T {
  try {
    return decode();
  } catch (cause) {
    throw down(cause instanceof HealthchainError ? cause.message : 'its answer is nested too deeply', cause);
  }
}

const down = (what: string, cause?: unknown): Fault =>
  new Fault('LEDGER_DOWN', `the ledger does not answer as a ledger: ${what}`, {
    hint: 'Check the ledger URL, the network, proxy and certificate; healthchain doctor tests each.',
    cause,
  });
