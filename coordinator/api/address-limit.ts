import { isIPv6 } from 'node:net';
import { TokenBucket } from '../relay/bucket.ts';

/** Requests a second of each address, or of each IPv6 network of a customer (/64). */
export class AddressLimit {
  readonly #perSecond: number;
  readonly #clock: () => number;
  readonly #buckets = new Map<string, TokenBucket>();

  constructor(perSecond: number, clock: () => number) {
    this.#perSecond = perSecond;
    this.#clock = clock;
  }

  admits(address: string): boolean {
    const now = this.#clock();
    if (this.#buckets.size > 10_000) this.#forget(now);
    const key = isIPv6(address) && !address.includes('.') ? address.split(':').slice(0, 4).join(':') : address;
    let bucket = this.#buckets.get(key);
    if (bucket === undefined) this.#buckets.set(key, (bucket = new TokenBucket(this.#perSecond, now)));
    const admitted = bucket.take(1, now) === 0;
    // A refused request costs nothing, or a persistent caller would never come back in.
    if (!admitted) bucket.take(-1, now);
    return admitted;
  }

  #forget(now: number): void {
    for (const [key, bucket] of this.#buckets) if (bucket.full(now)) this.#buckets.delete(key);
  }
}
