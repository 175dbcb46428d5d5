import { z } from 'zod';
import { fromHex, toHex } from './bytes.ts';
import { canonicalBytes, hashDocument, hashText } from './canonical.ts';
import { Abort } from './errors.ts';
import { verifyDigest, type Identity } from './identity.ts';
import { LABEL } from './labels.ts';
import { digest, organisationId, publicKey, sessionId, signatureHex } from './names.ts';

/** A hospital's first message in a session: its key for this session, under its identity, and the ledger it sees. */
export const hello = z.strictObject({
  session: sessionId,
  party: organisationId,
  exchangeKey: publicKey,
  /** The Merkle root at the entry that opened the session: two hospitals on a forked ledger notice here. */
  ledger: z.strictObject({ size: z.int().min(1), root: digest }),
});
export type Hello = z.infer<typeof hello>;

export const signedHello = z.strictObject({ hello, publicKey, signature: signatureHex });
export type SignedHello = z.infer<typeof signedHello>;

export function signHello(identity: Identity, body: Hello): SignedHello {
  return {
    hello: body,
    publicKey: identity.publicKey,
    signature: toHex(identity.sign(LABEL.hello, canonicalBytes(body))),
  };
}

/**
 * Decodes a hello and checks that it is `party`'s, for this session, under one of the identity keys the ledger lists.
 * Throws `Abort FORGED_HELLO`. It does not prove that everybody got the same hello: the transcript does.
 */
export function openHello(
  bytes: Uint8Array,
  expected: { session: string; party: string; activeKeys: readonly string[] },
): SignedHello {
  const forged = (why: string): Abort =>
    new Abort('FORGED_HELLO', `the session key offered for ${expected.party} ${why}`, {
      party: expected.party,
      round: 'hello',
    });
  const read = readHello(bytes);
  if (read === undefined) throw forged('does not decode');
  const { signed, digest } = read;
  if (signed.hello.session !== expected.session || signed.hello.party !== expected.party)
    throw forged('belongs to another session or party');
  if (!expected.activeKeys.includes(signed.publicKey))
    throw forged('is signed by a key that the ledger does not list for it');
  if (!verifyDigest(signed.publicKey, digest, fromHex(signed.signature, 64))) throw forged('carries a wrong signature');
  return signed;
}

/** The one encoding of a signed hello: the canonical form of `signedHello`, which a test holds against it. */
const ENCODED = new RegExp(
  '^{"hello":({"exchangeKey":"([0-9a-f]{64})","ledger":{"root":"([0-9a-f]{64})","size":([1-9][0-9]{0,15})},' +
    '"party":"([a-z0-9][a-z0-9_-]{0,62})","session":"([0-9a-f]{64})"}),' +
    '"publicKey":"([0-9a-f]{64})","signature":"([0-9a-f]{128})"}$',
);
const LONGEST = 1024;

/**
 * Reads a hello as it stands, without the detour of a document: in a session of n there are n - 1 of them to read before
 * anything else can happen. `digest` is what its party signed. Undefined for bytes that are not that encoding.
 */
export function readHello(bytes: Uint8Array): { signed: SignedHello; digest: Uint8Array } | undefined {
  if (bytes.length > LONGEST) return undefined;
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('latin1');
  const found = ENCODED.exec(text);
  if (found === null) return undefined;
  const [, body, exchangeKey, root, digits, party, session, publicKey, signature] = found as unknown as string[];
  const size = Number(digits);
  if (!Number.isSafeInteger(size)) return undefined;
  const signed: SignedHello = {
    hello: { session: session!, party: party!, exchangeKey: exchangeKey!, ledger: { size, root: root! } },
    publicKey: publicKey!,
    signature: signature!,
  };
  digests.set(signed, fromHex(hashText(LABEL.hello, text), 32));
  return { signed, digest: fromHex(hashText(LABEL.hello, body!), 32) };
}

/** Digests of the hellos at hand: each is asked for with every pair of keys and every transcript. Hellos do not change. */
const digests = new WeakMap<SignedHello, Uint8Array>();

export function helloDigest(signed: SignedHello): Uint8Array {
  const known = digests.get(signed);
  if (known !== undefined) return known;
  const digest = hashDocument(LABEL.hello, signed);
  digests.set(signed, digest);
  return digest;
}

/**
 * What the shares of a step are added in (docs/protocol.md §3): integers mod 2^128, or, where cells may stay closed or are large,
 * scalars mod l, the order of ristretto255. A function of the plan, so that nobody chooses it.
 */
export const modulus = z.enum(['2^128', 'l']);
export type Modulus = z.infer<typeof modulus>;

/**
 * All that the parties of a step must see alike before anything opens. Compared by hash between every two parties
 * (Goldwasser-Lindell echo): who told two parties two things ends the session with `Abort EQUIVOCATION`.
 */
export interface Transcript {
  readonly session: string;
  readonly query: string;
  readonly roster: readonly string[];
  /** helloDigest of each party, in roster order, as hexadecimal. */
  readonly hellos: readonly string[];
  readonly ledger: { readonly size: number; readonly root: string };
  readonly step: number;
  /** Digest of the query and schema the cells were planned from. */
  readonly plan: string;
  readonly cells: number;
  readonly modulus: Modulus;
  /** Input commitments of this step as on the ledger, in roster order. */
  readonly commitments: readonly string[];
  /** Receipts of earlier steps. */
  readonly receipts: readonly string[];
}

export const transcriptHash = (transcript: Transcript): Uint8Array => hashDocument(LABEL.transcript, transcript);
