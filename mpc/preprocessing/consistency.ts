import { createCipheriv } from 'node:crypto';
import { equalBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { Workspace } from '../bitkernels/load.ts';
import { tossCoin } from '../boolean/coin.ts';
import { polynomialHash } from '../boolean/universal-hash.ts';
import { COLUMNS, type Block, type Columns } from './cot.ts';
import type { Workbench } from './workbench.ts';

const HASH = 16;
const DIGEST = 32;
const NONCE = new Uint8Array(12);

/**
 * Proves that every party put one string of bits into its corrections, the same towards all peers: with R a linear hash
 * chosen by a joint coin after the corrections, the holder broadcasts R(x) and sends each peer a digest of R(M_b) for all
 * columns b; the peer compares it with that of R(K_b) + Delta_b R(x) (docs/preprocessing.md §5; Roy, CRYPTO 2022).
 *
 * Does not prove that no bit of Delta was guessed: who deviates in columns for c bits of Delta goes on with probability
 * 2^-c, and then knows them. That two peers heard one R(x) is certain only after the next broadcast.
 *
 * Cost: three rounds, 208 bytes to each peer. Errors: `Abort COT_CHECK` names the peer.
 */
export async function checkBlock(bench: Workbench, round: string, block: Block): Promise<void> {
  const { transport, broadcasts, workspace, random, keyBits, setup } = bench;
  const key = (await tossCoin(transport, `${round}/hash`, random)).subarray(0, HASH);
  const own = polynomialHash(key, workspace.view(block.bits.at, block.bits.count / 8));
  const digests = new Map(
    transport.peers.map((peer) => [peer, hashBytes(LABEL.columns, hashColumns(key, workspace, block.tags.get(peer)!))]),
  );
  const { messages, asides } = await broadcasts.round(own, () => HASH, {
    to: (peer) => digests.get(peer)!,
    lengthFrom: () => DIGEST,
  });
  for (const [party, digest] of asides) {
    const stated = messages[setup.roster.indexOf(party)]!;
    const hashes = hashColumns(key, workspace, block.keys.get(party)!);
    for (let b = 0; b < COLUMNS; b++) {
      const mask = -keyBits[b]!;
      for (let i = 0; i < HASH; i++) hashes[HASH * b + i]! ^= stated[i]! & mask;
    }
    if (!equalBytes(digest, hashBytes(LABEL.columns, hashes))) {
      throw new Abort('COT_CHECK', `the transferred bits of ${party} are not consistent`, {
        party,
        round,
        hint: 'Nothing depends on a secret yet. The setup with this roster must not be used again.',
      });
    }
  }
}

/**
 * R of every column, plus one constant that depends on key and length alone: the tag of AES-GCM over the column as associated
 * data (`polynomialHash` without taking the constant off, which is the same on both sides of the comparison).
 */
function hashColumns(key: Uint8Array, workspace: Workspace, { at, stride }: Columns): Uint8Array {
  const hashes = new Uint8Array(HASH * COLUMNS);
  for (let b = 0; b < COLUMNS; b++) {
    const cipher = createCipheriv('aes-128-gcm', key, NONCE);
    cipher.setAAD(workspace.view(at + b * stride, stride));
    cipher.final();
    hashes.set(cipher.getAuthTag(), HASH * b);
  }
  return hashes;
}
