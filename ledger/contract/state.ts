/** One pair of the state. */
export interface Pair {
  readonly key: string;
  readonly value: string;
}

/**
 * What the contract reads and writes: text by key, shaped so that the world state of a Hyperledger Fabric channel
 * can stand behind it (getState, putState, getStateByRange). Keys are ASCII; `list` takes a prefix that ends in "/"
 * and answers in key order.
 */
export interface State {
  get(key: string): Promise<string | undefined>;
  put(key: string, value: string): Promise<void>;
  list(prefix: string): Promise<readonly Pair[]>;
}

const byKey = (a: Pair, b: Pair): number => (a.key < b.key ? -1 : 1);

/** A state in memory. `list` costs the length of its answer: every key is also filed under each of its prefixes. */
export class MemoryState implements State {
  readonly #values = new Map<string, string>();
  readonly #under = new Map<string, Set<string>>();

  get(key: string): Promise<string | undefined> {
    return Promise.resolve(this.#values.get(key));
  }
  put(key: string, value: string): Promise<void> {
    if (!this.#values.has(key)) this.#file(key);
    this.#values.set(key, value);
    return Promise.resolve();
  }
  list(prefix: string): Promise<readonly Pair[]> {
    const keys = this.#under.get(prefix) ?? [];
    return Promise.resolve(Array.from(keys, (key) => ({ key, value: this.#values.get(key)! })).sort(byKey));
  }
  /** Every pair in key order: what two replicas must agree on. */
  dump(): readonly Pair[] {
    return Array.from(this.#values, ([key, value]) => ({ key, value })).sort(byKey);
  }
  #file(key: string): void {
    for (let end = key.indexOf('/'); end >= 0; end = key.indexOf('/', end + 1)) {
      const prefix = key.slice(0, end + 1);
      const keys = this.#under.get(prefix) ?? new Set();
      this.#under.set(prefix, keys.add(key));
    }
  }
}

/**
 * Writes held back over a state that stays untouched until `flush`: an action that is refused half-way leaves no
 * trace. It also shows an action its own writes, which Fabric does not.
 */
export class BufferedState implements State {
  readonly #base: State;
  #writes = new MemoryState();

  constructor(base: State) {
    this.#base = base;
  }
  async get(key: string): Promise<string | undefined> {
    return (await this.#writes.get(key)) ?? (await this.#base.get(key));
  }
  put(key: string, value: string): Promise<void> {
    return this.#writes.put(key, value);
  }
  async list(prefix: string): Promise<readonly Pair[]> {
    const base = await this.#base.list(prefix);
    const writes = await this.#writes.list(prefix);
    if (writes.length === 0) return base;
    const merged = new Map([...base, ...writes].map((pair) => [pair.key, pair]));
    return [...merged.values()].sort(byKey);
  }
  /** Carries the writes over to the base. */
  async flush(): Promise<void> {
    for (const { key, value } of this.#writes.dump()) await this.#base.put(key, value);
    this.#writes = new MemoryState();
  }
}
