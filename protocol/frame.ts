import { z } from 'zod';
import { ByteReader, ByteWriter, fromHex, toHex } from './bytes.ts';
import { canonicalBytes, decodeDocument, hashDocument } from './canonical.ts';
import { errorFromRecord, Misuse, type ErrorRecord, type HealthchainError } from './errors.ts';
import { LABEL } from './labels.ts';
import { digest, organisationId, publicKey, signatureHex } from './names.ts';

/**
 * What travels between a hospital and the coordinator, each frame one binary WebSocket message
 * (docs/protocol.md §6). The coordinator routes by the header and never looks into a payload.
 */
export type Frame =
  /** Hospital to hospital, through the relay. Parties are places in the session's sorted roster. */
  | {
      readonly type: 'relay';
      readonly session: string;
      readonly from: number;
      readonly to: number;
      readonly payload: Uint8Array;
    }
  /** Coordinator to hospital: something on the ledger concerns you; go and read it there. */
  | { readonly type: 'notice'; readonly notice: Notice }
  /** Hospital to coordinator: how far a session is, for progress and for noticing failures. */
  | { readonly type: 'status'; readonly status: SessionStatus }
  /** Coordinator to hospital: the researcher fetches something you hold for it. */
  | { readonly type: 'pull'; readonly stream: number; readonly request: PullRequest }
  /** Coordinator to hospital: you may send this many further chunks. Back-pressure without blocking the connection. */
  | { readonly type: 'credit'; readonly stream: number; readonly chunks: number }
  /** Either way: this stream ends early; the fetcher went away, or the hospital cannot serve it. */
  | { readonly type: 'cancel'; readonly stream: number; readonly error: ErrorRecord | undefined }
  | { readonly type: 'chunk'; readonly stream: number; readonly payload: Uint8Array }
  | { readonly type: 'end'; readonly stream: number }
  /** Hospital to coordinator: let these hospitals make stock together. Answered by a notice to all of them, or by `over`. */
  | { readonly type: 'prepare'; readonly request: PreparationRequest }
  /** Either way: a preparation is over for the sender; from the coordinator: for all. */
  | { readonly type: 'over'; readonly over: PreparationOver };

/** Payload bytes of one relayed frame or chunk at most; larger messages are split. */
export const MAX_PAYLOAD = 256 * 1024 + 1024;
/** Bytes before the payload of a chunk: the type, the number of its stream. */
export const CHUNK_HEADER = 5;
/** Hospitals that prepare together at most. */
export const PREPARATION_LIMIT = 100;
/** Bytes of one WebSocket message at most. */
export const MAX_FRAME = MAX_PAYLOAD + 256;

/** Hospitals that make stock together, as they stand at a position of the ledger; the nonce tells apart what they do twice. */
const preparationRequest = z.strictObject({
  roster: z.array(organisationId).min(2).max(PREPARATION_LIMIT),
  size: z.int().min(1),
  nonce: digest,
});
export type PreparationRequest = z.infer<typeof preparationRequest>;

/** True for hospitals in order, each once. */
export const inOrder = (roster: readonly string[]): boolean =>
  roster.every((each, i) => i === 0 || roster[i - 1]! < each);

/** Session id of a preparation: everybody derives it; no session of a query has it. */
export const derivePreparationId = (request: PreparationRequest): string =>
  toHex(hashDocument(LABEL.preparationSession, request));

const preparationOver = z.strictObject({ session: digest, outcome: z.enum(['complete', 'declined', 'failed']) });
export type PreparationOver = z.infer<typeof preparationOver>;

const notice = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.enum(['query', 'session', 'abort']), id: digest }),
  z.strictObject({ kind: z.literal('preparation'), id: digest, request: preparationRequest }),
]);
export type Notice = z.infer<typeof notice>;

const errorRecord = z.strictObject({
  kind: z.enum(['Refusal', 'Abort', 'Fault', 'Misuse']),
  code: z.string().max(40),
  message: z.string().max(2000),
  hint: z.string().max(1000).optional(),
  party: z.string().max(64).optional(),
  round: z.string().max(40).optional(),
});
export { errorRecord };

/** The states a hospital passes through in a session, in this order; failed may follow any. */
export const sessionStage = z.enum(['joined', 'scanning', 'committed', 'deciding', 'agreed', 'opened', 'failed']);
export type SessionStage = z.infer<typeof sessionStage>;

const sessionStatus = z.strictObject({
  session: digest,
  step: z.int().min(0).max(999),
  stage: sessionStage,
  error: errorRecord.optional(),
});
export type SessionStatus = z.infer<typeof sessionStatus>;

/** What the researcher may fetch from a hospital: its sealed summed share; after a failed verification, its part of finding the cheat. */
export const pullRequest = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('share'), session: digest, step: z.int().min(0).max(999) }),
  z.strictObject({ kind: z.literal('statement'), session: digest, step: z.int().min(0).max(999) }),
  z.strictObject({ kind: z.literal('overflow'), session: digest, step: z.int().min(0).max(999) }),
  z.strictObject({
    kind: z.literal('seed'),
    session: digest,
    step: z.int().min(0).max(999),
    peer: organisationId,
    /** The peer's signed statement that contradicts this hospital's own (canonical JSON, base64). A frame holds that of 890 hospitals. */
    contradiction: z.string().max(240_000),
  }),
]);
export type PullRequest = z.infer<typeof pullRequest>;

const TYPES = ['relay', 'notice', 'status', 'pull', 'credit', 'cancel', 'chunk', 'end', 'prepare', 'over'] as const;
/** A document inside a frame; a pull with a contradiction is the longest. */
const DOCUMENT_LIMIT = 500_000;

export function encodeFrame(frame: Frame): Uint8Array {
  const writer = new ByteWriter().uint8(TYPES.indexOf(frame.type));
  switch (frame.type) {
    case 'relay':
      return writer.fixed(fromHex(frame.session, 32)).uint32(frame.from).uint32(frame.to).fixed(frame.payload).finish();
    case 'notice':
      return writer.fixed(canonicalBytes(frame.notice)).finish();
    case 'status':
      return writer.fixed(canonicalBytes(frame.status)).finish();
    case 'pull':
      return writer.uint32(frame.stream).fixed(canonicalBytes(frame.request)).finish();
    case 'credit':
      return writer.uint32(frame.stream).uint32(frame.chunks).finish();
    case 'cancel':
      return writer
        .uint32(frame.stream)
        .fixed(frame.error === undefined ? new Uint8Array() : canonicalBytes(frame.error))
        .finish();
    case 'chunk':
      return writer.uint32(frame.stream).fixed(frame.payload).finish();
    case 'end':
      return writer.uint32(frame.stream).finish();
    case 'prepare':
      return writer.fixed(canonicalBytes(frame.request)).finish();
    case 'over':
      return writer.fixed(canonicalBytes(frame.over)).finish();
  }
}

/** Decodes one WebSocket message; anything malformed, oversized or with trailing bytes is a `Misuse`. Payloads are views. */
export function decodeFrame(bytes: Uint8Array): Frame {
  const reader = new ByteReader(bytes);
  const type = TYPES[reader.uint8()];
  switch (type) {
    case 'relay':
      return {
        type,
        session: toHex(reader.fixed(32)),
        from: reader.uint32(),
        to: reader.uint32(),
        payload: payload(reader),
      };
    case 'notice':
      return { type, notice: decodeDocument(notice, reader.rest(), { what: 'notice', limit: DOCUMENT_LIMIT }) };
    case 'status':
      return { type, status: decodeDocument(sessionStatus, reader.rest(), { what: 'status', limit: DOCUMENT_LIMIT }) };
    case 'pull':
      return {
        type,
        stream: reader.uint32(),
        request: decodeDocument(pullRequest, reader.rest(), { what: 'pull', limit: DOCUMENT_LIMIT }),
      };
    case 'credit': {
      const frame = { type, stream: reader.uint32(), chunks: reader.uint32() } as const;
      reader.end();
      return frame;
    }
    case 'cancel': {
      const stream = reader.uint32();
      const rest = reader.rest();
      return {
        type,
        stream,
        error: rest.length === 0 ? undefined : decodeDocument(errorRecord, rest, { what: 'error', limit: 8192 }),
      };
    }
    case 'chunk':
      return { type, stream: reader.uint32(), payload: payload(reader) };
    case 'end': {
      const frame = { type, stream: reader.uint32() } as const;
      reader.end();
      return frame;
    }
    case 'prepare':
      return {
        type,
        request: decodeDocument(preparationRequest, reader.rest(), { what: 'preparation', limit: DOCUMENT_LIMIT }),
      };
    case 'over':
      return { type, over: decodeDocument(preparationOver, reader.rest(), { what: 'over', limit: 1024 }) };
    default:
      throw new Misuse('MALFORMED', 'unknown frame type');
  }
}

function payload(reader: ByteReader): Uint8Array {
  const rest = reader.rest();
  if (rest.length > MAX_PAYLOAD)
    throw new Misuse('MALFORMED', `payload of ${rest.length} bytes where at most ${MAX_PAYLOAD} are allowed`);
  return rest;
}

// The first two messages of a connection are text: the coordinator's challenge, the hospital's answer; then the coordinator's welcome.

export const challenge = z.strictObject({ type: z.literal('challenge'), consortium: digest, nonce: digest });
export type Challenge = z.infer<typeof challenge>;

/** Signed with LABEL.connect over `connectBytes`. */
export const connectAnswer = z.strictObject({
  type: z.literal('connect'),
  organisation: organisationId,
  publicKey,
  signature: signatureHex,
});
export type ConnectAnswer = z.infer<typeof connectAnswer>;

export const connectBytes = (of: { consortium: string; nonce: string; organisation: string }): Uint8Array =>
  canonicalBytes({ consortium: of.consortium, nonce: of.nonce, organisation: of.organisation });

export const welcome = z.union([
  z.strictObject({ type: z.literal('welcome') }),
  z.strictObject({ type: z.literal('refused'), error: errorRecord }),
]);

export const errorOf = (record: z.infer<typeof errorRecord>): HealthchainError => errorFromRecord(record);
