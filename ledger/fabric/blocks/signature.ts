import { verify, type KeyObject } from 'node:crypto';
import { readSequence, TAG, toBigInt } from './der.ts';

/** Orders of the groups of the curves that Fabric's certificates use (SEC 2). */
export const ORDERS: Readonly<Record<string, bigint>> = {
  prime256v1: 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n,
  secp384r1: 0xffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973n,
};

/**
 * Verifies a signature as Fabric does: ECDSA over SHA-256 whose s is in the lower half (a peer refuses the other one, and
 * so a transaction has one signature only), or Ed25519.
 */
export function verifyFabricSignature(key: KeyObject, message: Uint8Array, signature: Uint8Array): boolean {
  if (key.asymmetricKeyType === 'ed25519') return verify(null, message, key, signature);
  const order = ORDERS[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (key.asymmetricKeyType !== 'ec' || order === undefined) return false;
  const s = lowerHalf(signature, order);
  return s && verify('sha256', message, { key, dsaEncoding: 'der' }, signature);
}

function lowerHalf(signature: Uint8Array, order: bigint): boolean {
  try {
    const [r, s, ...rest] = readSequence(signature);
    if (r?.tag !== TAG.integer || s?.tag !== TAG.integer || rest.length > 0) return false;
    return toBigInt(s.content) <= order / 2n;
  } catch {
    return false;
  }
}
