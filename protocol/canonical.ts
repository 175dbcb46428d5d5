import { hash } from 'node:crypto';
import type { z } from 'zod';
import { canonicalText } from './canonical-text.ts';
import { Misuse, type MisuseCode } from './errors.ts';
import type { Label } from './labels.ts';
import { describeMisfits } from './misfit.ts';

export { canonicalText };

export const canonicalBytes = (document: unknown): Uint8Array => Buffer.from(canonicalText(document), 'utf8');

/** SHA-256 over label and canonical form, both length-prefixed. 32 bytes. */
export function hashDocument(label: Label, document: unknown): Uint8Array {
  return hashBytes(label, canonicalBytes(document));
}

/** SHA-256 over label and byte strings, each length-prefixed, so that no two lists share an encoding. 32 bytes. */
export function hashBytes(label: Label, ...parts: readonly Uint8Array[]): Uint8Array {
  const lists = [Buffer.from(label, 'utf8'), ...parts];
  const preimage = Buffer.allocUnsafe(lists.reduce((sum, part) => sum + 4 + part.length, 0));
  let at = 0;
  for (const part of lists) {
    at = preimage.writeUInt32BE(part.length, at);
    preimage.set(part, at);
    at += part.length;
  }
  return new Uint8Array(hash('sha256', preimage, 'buffer'));
}

/** As `hashBytes` of the one part `text`, as hexadecimal: made without the buffers that bytes would take. */
export function hashText(label: Label, text: string): string {
  const preimage = Buffer.allocUnsafe(8 + label.length + Buffer.byteLength(text));
  const at = preimage.writeUInt32BE(label.length, 0) + preimage.write(label, 4, 'latin1');
  preimage.writeUInt32BE(preimage.length - at - 4, at);
  preimage.write(text, at + 4, 'utf8');
  return hash('sha256', preimage, 'hex');
}

/** Objects and arrays within each other at most; an honest ledger export with a wordy query has about thirty. */
const DEPTH_LIMIT = 100;

export interface DecodeOptions {
  /** What is being decoded, for the error text: "query", "receipt". */
  readonly what: string;
  readonly code?: MisuseCode;
  /** Greatest length in bytes; default 1 MiB. */
  readonly limit?: number;
  /** Whoever reads the error wrote the document: it says what was found, but for what may be a secret. */
  readonly own?: boolean;
}

/**
 * Decodes a document that a person or another program wrote: JSON of the given shape, unknown keys refused.
 * Errors name the place and what is allowed there, and never the value found there unless the document is the reader's own.
 */
export function decodeDocument<T>(type: z.ZodType<T>, input: string | Uint8Array, options: DecodeOptions): T {
  const code = options.code ?? 'MALFORMED';
  return checkDocument(type, parseJson(input, options, code), options);
}

/** As `decodeDocument`, but only the canonical encoding is accepted: one document, one byte string. */
export function decodeCanonical<T>(type: z.ZodType<T>, input: string | Uint8Array, options: DecodeOptions): T {
  const raw = parseJson(input, options, options.code ?? 'MALFORMED');
  const document = checkDocument(type, raw, options);
  const text = typeof input === 'string' ? input : Buffer.from(input).toString('utf8');
  if (canonicalText(document) !== text)
    throw new Misuse('NOT_CANONICAL', `${options.what}: not in canonical form (RFC 8785)`);
  return document;
}

/** Checks the shape of a value that was parsed already. */
export function checkDocument<T>(type: z.ZodType<T>, value: unknown, options: DecodeOptions): T {
  const checked = type.safeParse(value);
  if (checked.success) return checked.data;
  const { issues } = checked.error;
  const why = describeMisfits(options.what, { type, value, issues, tell: options.own === true });
  throw new Misuse(options.code ?? 'MALFORMED', why);
}

function parseJson(input: string | Uint8Array, options: DecodeOptions, code: MisuseCode): unknown {
  const limit = options.limit ?? 1 << 20;
  const size = typeof input === 'string' ? Buffer.byteLength(input) : input.length;
  if (size > limit) throw new Misuse(code, `${options.what}: ${size} bytes, more than the ${limit} allowed`);
  let document: unknown;
  try {
    const text = typeof input === 'string' ? input : new TextDecoder('utf-8', { fatal: true }).decode(input);
    document = JSON.parse(text) as unknown;
  } catch {
    // The parser's own message quotes the input, which may be anybody's: it is not passed on.
    throw new Misuse(code, `${options.what}: not JSON`, { hint: 'Check for a missing quote, comma or bracket.' });
  }
  const fault = faultIn(document, DEPTH_LIMIT);
  if (fault !== undefined) throw new Misuse(code, `${options.what}: ${fault}`);
  return document;
}

/**
 * What no document may hold, whatever its shape: nesting that exhausts the stack of who reads it, and the key
 * `__proto__`, which zod drops without a word. Stops at the limit, so that it does not exhaust the stack itself.
 */
function faultIn(value: unknown, levels: number): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  if (levels === 0) return `nested deeper than the ${DEPTH_LIMIT} levels allowed`;
  if (Object.hasOwn(value, '__proto__')) return 'a key that is not allowed';
  for (const member of Object.values(value)) {
    const fault = faultIn(member, levels - 1);
    if (fault !== undefined) return fault;
  }
  return undefined;
}
