export interface Rate {
  readonly perSecond: number;
  /** How many may come at once after a pause. */
  readonly burst: number;
}

/** A token bucket for each remote address; forgets addresses whose bucket is full again. */
export class RateLimit {
  readonly #rate: Rate;
  readonly #now: () => number;
  readonly #buckets = new Map<string, { tokens: number; at: number }>();

  /** `now` in milliseconds, from a clock that never goes back. */
  constructor(rate: Rate, now: () => number) {
    this.#rate = rate;
    this.#now = now;
  }

  /** True when the address may make one more request now. */
  admit(address: string): boolean {
    const { perSecond, burst } = this.#rate;
    const at = this.#now();
    if (this.#buckets.size >= 10_000) this.#forgetFull(at);
    const bucket = this.#buckets.get(address) ?? { tokens: burst, at };
    const tokens = Math.min(burst, bucket.tokens + ((at - bucket.at) / 1000) * perSecond);
    this.#buckets.set(address, { tokens: tokens >= 1 ? tokens - 1 : tokens, at });
    return tokens >= 1;
  }

  #forgetFull(now: number): void {
    const { perSecond, burst } = this.#rate;
    for (const [address, { tokens, at }] of this.#buckets) {
      if (tokens + ((now - at) / 1000) * perSecond >= burst) this.#buckets.delete(address);
    }
  }
}
