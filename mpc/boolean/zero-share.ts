import { createCipheriv, hkdfSync, type Cipheriv } from 'node:crypto';
import { LABEL } from '../../protocol/labels.ts';
import type { RandomSource, Transport } from '../transport.ts';
import type { Aside } from './broadcast.ts';
import { xorBytes } from './tags.ts';

export const SEED_BYTES = 32;

/**
 * Shares of zero from one seed per pair of parties (Cramer, Damgard, Ishai, TCC 2005): each pair's stream is added by
 * both. Added to the shares of an output before they are opened, they make the honest parties' shares uniform among those
 * with the same sum, whatever the output is made of: an output that is a sum of inputs would otherwise show the inputs.
 * A party that uses other streams sends wrong output shares, which the MAC check notices.
 */
export class ZeroShares {
  readonly #transport: Transport;
  readonly #own: ReadonlyMap<string, Uint8Array>;
  #streams: readonly Cipheriv[] | undefined;

  constructor(transport: Transport, random: RandomSource) {
    this.#transport = transport;
    this.#own = new Map(
      transport.peers.filter((peer) => transport.self < peer).map((peer) => [peer, random(SEED_BYTES)]),
    );
  }

  /** The seeds on their way: the lower party of a pair chooses. */
  get aside(): Aside {
    return {
      to: (peer) => this.#own.get(peer) ?? new Uint8Array(0),
      lengthFrom: (peer) => (this.#own.has(peer) ? 0 : SEED_BYTES),
    };
  }

  begin(asides: ReadonlyMap<string, Uint8Array>): void {
    this.#streams = this.#transport.peers.map((peer) => {
      const seed = this.#own.get(peer) ?? asides.get(peer)!;
      const key = new Uint8Array(hkdfSync('sha256', seed, Buffer.from(this.#transport.session), LABEL.zeroShare, 32));
      return createCipheriv('aes-256-ctr', key, Buffer.alloc(16));
    });
  }

  /** Adds our share of zero to packed bits. */
  addTo(bits: Uint8Array): void {
    for (const stream of this.#streams!) xorBytes(bits, bits, stream.update(new Uint8Array(bits.length)));
  }
}
