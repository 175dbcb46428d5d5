import { randomBytes } from 'node:crypto';
import type { WebSocket } from 'ws';
import { fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { asHealthchainError, Fault, Refusal, type HealthchainError } from '../../protocol/errors.ts';
import { connectAnswer, connectBytes, type Challenge, type ConnectAnswer } from '../../protocol/frame.ts';
import { verifySignature } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { hasActiveKey, type CatchUp } from '../ledger-view.ts';
import { CLOSE } from './connection.ts';

/** Who is at the other end, as proved by a signature over this connection's nonce. */
export interface Peer {
  readonly organisation: string;
  readonly publicKey: string;
}

/**
 * Challenges a fresh socket and checks the answer against the ledger. Sends `refused` with the reason and closes, or
 * resolves with the peer; the caller sends `welcome` once it is ready for frames. What it proves: the peer holds an
 * active key of a hospital, now; a recorded answer is worthless because the nonce is fresh.
 */
export async function shakeHands(
  socket: WebSocket,
  of: { ledger: Ledger; catchUp: CatchUp; deadline: number },
): Promise<Peer | HealthchainError> {
  const challenge: Challenge = {
    type: 'challenge',
    consortium: of.ledger.consortium,
    nonce: toHex(randomBytes(32)),
  };
  const answered = firstMessage(socket, of.deadline);
  socket.send(canonicalText(challenge));
  try {
    return await identify(await answered, challenge, of);
  } catch (error) {
    const refusal = asHealthchainError(error, () => new Fault('INTERNAL', 'the connection could not be checked'));
    if (socket.readyState === socket.OPEN) {
      socket.send(canonicalText({ type: 'refused', error: refusal.toJSON() }));
      socket.close(CLOSE.violation, refusal.code);
      // A paused socket would not see the peer's answer to the closing frame.
      socket.resume();
    }
    setTimeout(() => socket.terminate(), 1000).unref();
    return refusal;
  }
}

async function identify(text: string, challenge: Challenge, of: { ledger: Ledger; catchUp: CatchUp }): Promise<Peer> {
  const answer = decodeDocument(connectAnswer, text, { what: 'connect', limit: 4096 });
  const { organisation, publicKey } = answer;
  const bytes = connectBytes({ consortium: challenge.consortium, nonce: challenge.nonce, organisation });
  if (!verifySignature(publicKey, LABEL.connect, bytes, fromHex(answer.signature, 64))) {
    throw new Refusal('BAD_SIGNATURE', 'the signature over the challenge does not verify', {
      party: organisation,
      hint: 'Is this the coordinator of your consortium, and the key the one registered on the ledger?',
    });
  }
  // A hospital registered, or a key rotated, a moment ago may be ahead of this view of the ledger.
  if (!hasActiveKey(of.ledger.organisation(organisation), publicKey)) await of.catchUp.now();
  verifyHospital(of.ledger, answer);
  return { organisation, publicKey };
}

function verifyHospital(ledger: Ledger, { organisation, publicKey }: ConnectAnswer): void {
  const record = ledger.organisation(organisation);
  if (record === undefined) {
    throw new Refusal('UNKNOWN', 'this organisation is not on the ledger', {
      party: organisation,
      hint: 'An admin registers it with: healthchain organisation register',
    });
  }
  if (!hasActiveKey(record, publicKey)) {
    throw new Refusal('BAD_SIGNATURE', 'this key is not an active key of the organisation', {
      party: organisation,
      hint: 'It may have been revoked or rotated: compare it with the ledger.',
    });
  }
  if (!record.roles.includes('hospital')) {
    throw new Refusal('NOT_AUTHORIZED', 'only hospitals connect here', { party: organisation });
  }
}

/** The first message, which must be text and come within the deadline. */
function firstMessage(socket: WebSocket, deadline: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      done();
      reject(new Fault('DEADLINE', 'no answer to the challenge in time'));
    }, deadline);
    const onMessage = (data: Buffer, isBinary: boolean): void => {
      done();
      // Frames before the welcome would arrive in the middle of the look at the ledger: nothing more is read until then.
      socket.pause();
      if (isBinary) reject(new Refusal('BAD_SIGNATURE', 'a frame came before the answer to the challenge'));
      else resolve(data.toString('utf8'));
    };
    const onClose = (): void => {
      done();
      reject(new Fault('PEER_GONE', 'the connection closed before the challenge was answered'));
    };
    const done = (): void => {
      clearTimeout(timer);
      socket.off('message', onMessage);
      socket.off('close', onClose);
    };
    socket.on('message', onMessage);
    socket.on('close', onClose);
  });
}
