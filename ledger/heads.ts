import { fromHex, toHex } from '../protocol/bytes.ts';
import { Abort } from '../protocol/errors.ts';
import { verifySignature, type Identity } from '../protocol/identity.ts';
import { LABEL } from '../protocol/labels.ts';
import { treeHeadBytes, type LedgerHead, type TreeHead } from '../protocol/ledger.ts';

/** Signs a tree head as the ledger's operator: from here on it cannot show another tree of that size unnoticed. */
export function signHead(operator: Identity, of: { consortium: string; size: number; root: Uint8Array }): TreeHead {
  const unsigned = {
    consortium: of.consortium,
    size: of.size,
    root: toHex(of.root),
    publicKey: operator.publicKey,
  };
  return { ...unsigned, signature: toHex(operator.sign(LABEL.treeHead, treeHeadBytes(unsigned))) };
}

/** What a reader knows about a ledger before it believes anything that the ledger says. */
export interface Pins {
  /** Hash of the founding entry. */
  readonly consortium?: string | undefined;
  /** The operator's public key, of an embedded ledger. */
  readonly operator?: string | undefined;
  /** Hash of the genesis block's header, of a Fabric channel. */
  readonly genesis?: string | undefined;
}

/** Pins that hold for no ledger but this one. */
export const pinsOf = (head: LedgerHead): Pins =>
  'channel' in head
    ? { consortium: head.consortium, genesis: head.genesis }
    : { consortium: head.consortium, operator: head.publicKey };

/** Rejects with `Abort FORGED_LEDGER` unless the pinned operator signed this head of the pinned consortium. */
export function verifyHeadSignature(head: TreeHead, pins: Pins): void {
  if (pins.consortium !== undefined && head.consortium !== pins.consortium) {
    throw new Abort('FORGED_LEDGER', 'the tree head is of another consortium than the pinned one', {
      hint: 'Check the ledger URL and the consortium id in your configuration.',
    });
  }
  if (pins.operator !== undefined && head.publicKey !== pins.operator) {
    throw new Abort('FORGED_LEDGER', 'the tree head is signed by another key than the pinned operator key', {
      hint: 'Ask the operator of the ledger, by telephone, whether its key changed.',
    });
  }
  if (!verifySignature(head.publicKey, LABEL.treeHead, treeHeadBytes(head), fromHex(head.signature, 64))) {
    throw new Abort('FORGED_LEDGER', "the operator's signature of the tree head does not verify");
  }
}
