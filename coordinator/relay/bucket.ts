/**
 * A token bucket that may go into debt: what was read already is let through, and the debt says how long to read
 * nothing more. Starts full; holds two seconds' worth.
 */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #capacity: number;
  #tokens: number;
  #at: number;

  constructor(perSecond: number, now: number) {
    this.#perSecond = perSecond;
    this.#capacity = 2 * perSecond;
    this.#tokens = this.#capacity;
    this.#at = now;
  }

  /** Takes `amount`; returns the milliseconds until the bucket is out of debt, 0 when it is not in debt. */
  take(amount: number, now: number): number {
    // A clock that was set back gives nothing, and takes nothing away.
    const elapsed = Math.max(0, now - this.#at);
    this.#tokens = Math.min(this.#capacity, this.#tokens + (elapsed * this.#perSecond) / 1000) - amount;
    this.#at = now;
    return this.#tokens >= 0 ? 0 : Math.ceil((-this.#tokens * 1000) / this.#perSecond);
  }

  /** True when nothing was taken for so long that the bucket is full again: it can be forgotten. */
  full(now: number): boolean {
    return this.#tokens + ((now - this.#at) * this.#perSecond) / 1000 >= this.#capacity;
  }
}
