import { createHash, randomBytes } from 'node:crypto';
import { fromHex, toHex } from './bytes.ts';
import { canonicalBytes } from './canonical.ts';
import { Refusal } from './errors.ts';
import { verifySignature, type Identity } from './identity.ts';
import { LABEL } from './labels.ts';

/**
 * How an HTTP caller proves its ledger identity: one header with organisation, key, time, nonce and an Ed25519
 * signature over method, path with query string, body digest, time and nonce.
 */
export interface RequestProof {
  readonly organisation: string;
  readonly publicKey: string;
  /** Seconds since 1970. */
  readonly time: number;
  readonly nonce: string;
  readonly signature: string;
}

export interface SignedRequest {
  readonly method: string;
  /** Path and query string. */
  readonly target: string;
  readonly body: Uint8Array;
}

export const PROOF_HEADER = 'healthchain-proof';
/** Clocks may differ by this much, in seconds. */
export const CLOCK_TOLERANCE = 300;

const requestBytes = (request: SignedRequest, proof: Omit<RequestProof, 'signature'>): Uint8Array =>
  canonicalBytes({
    method: request.method,
    target: request.target,
    body: createHash('sha256').update(request.body).digest('hex'),
    organisation: proof.organisation,
    time: proof.time,
    nonce: proof.nonce,
  });

export function proveRequest(
  member: { organisation: string; identity: Identity },
  request: SignedRequest,
  now: number,
): string {
  const proof = {
    organisation: member.organisation,
    publicKey: member.identity.publicKey,
    time: Math.floor(now / 1000),
    nonce: toHex(randomBytes(16)),
  };
  const signature = toHex(member.identity.sign(LABEL.request, requestBytes(request, proof)));
  return [proof.organisation, proof.publicKey, proof.time, proof.nonce, signature].join(' ');
}

/**
 * Checks form, clock and signature of a proof. The caller still has to look the key up on the ledger and to refuse a
 * nonce seen within twice the tolerance. `now` in milliseconds.
 */
export function checkProof(header: string | undefined, request: SignedRequest, now: number): RequestProof {
  const match = /^([a-z0-9][a-z0-9_-]{0,62}) ([0-9a-f]{64}) ([0-9]{1,12}) ([0-9a-f]{32}) ([0-9a-f]{128})$/.exec(
    header ?? '',
  );
  if (match === null) {
    throw new Refusal('BAD_SIGNATURE', `this needs a ${PROOF_HEADER} header`, {
      hint: 'Use the healthchain command or SDK, or see docs/protocol.md on signed requests.',
    });
  }
  const [, organisation, publicKey, time, nonce, signature] = match as unknown as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const proof: RequestProof = { organisation, publicKey, time: Number(time), nonce, signature };
  const skew = Math.round(now / 1000) - proof.time;
  if (Math.abs(skew) > CLOCK_TOLERANCE) {
    throw new Refusal(
      'REPLAY',
      `the request is dated ${Math.abs(skew)} s ${skew > 0 ? 'in the past' : 'in the future'}, more than ${CLOCK_TOLERANCE} s`,
      {
        hint: 'Set the clock of this machine (NTP) and try again.',
      },
    );
  }
  if (!verifySignature(publicKey, LABEL.request, requestBytes(request, proof), fromHex(signature, 64))) {
    throw new Refusal('BAD_SIGNATURE', 'the signature of this request does not verify', {
      hint: 'Is the configured key the one registered on the ledger?',
    });
  }
  return proof;
}
