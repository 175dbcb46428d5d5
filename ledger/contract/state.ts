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

const ABSENT: Promise<undefined> = Promise.resolve(undefined);
const DONE: Promise<void> = Promise.resolve();
const NOTHING: Promise<readonly Pair[]> = Promise.resolve([]);

/** The keys under one prefix; put in order when they are asked for. */
interface Filed {
  readonly keys: string[];
  sorted: boolean;
}

/** A state in memory. `list` costs the length of its answer: every key is also filed under each of its prefixes. */
export class MemoryState implements State {
  readonly #values = new Map<string, string>();
  readonly #under = new Map<string, Filed>();

  get(key: string): Promise<string | undefined> {
    const value = this.#values.get(key);
    return value === undefined ? ABSENT : Promise.resolve(value);
  }
  put(key: string, value: string): Promise<void> {
    if (!this.#values.has(key)) this.#file(key);
    this.#values.set(key, value);
    return DONE;
  }
  list(prefix: string): Promise<readonly Pair[]> {
    const filed = this.#under.get(prefix);
    if (filed === undefined) return NOTHING;
    // Without a rule, by code unit, and without a call for every comparison.
    if (!filed.sorted) filed.keys.sort();
    filed.sorted = true;
    return Promise.resolve(filed.keys.map((key) => ({ key, value: this.#values.get(key)! })));
  }
  /** Every pair in key order: what two replicas must agree on. */
  dump(): readonly Pair[] {
    return Array.from(this.#values, ([key, value]) => ({ key, value })).sort(byKey);
  }
  #file(key: string): void {
    for (let end = key.indexOf('/'); end >= 0; end = key.indexOf('/', end + 1)) {
      const prefix = key.slice(0, end + 1);
      const filed = this.#under.get(prefix);
      if (filed === undefined) {
        this.#under.set(prefix, { keys: [key], sorted: true });
        continue;
      }
      filed.keys.push(key);
      filed.sorted = false;
    }
  }
}

/**
 * Writes held back over a state that stays untouched until `flush`: an action that is refused half-way leaves no
 * trace. It also shows an action its own writes, which Fabric does not.
 *
 * Every entry of a ledger passes two of these, one for itself and one for its batch, and few of them are ever asked for
 * a list: keys are filed by their prefixes no sooner than that.
 */
export class BufferedState implements State {
  readonly #base: State;
  readonly #writes = new Map<string, string>();
  /** The first so many writes, ready to be listed. */
  #listed: MemoryState | undefined;

  constructor(base: State) {
    this.#base = base;
  }
  get(key: string): Promise<string | undefined> {
    const value = this.#writes.get(key);
    return value === undefined ? this.#base.get(key) : Promise.resolve(value);
  }
  put(key: string, value: string): Promise<void> {
    this.#writes.set(key, value);
    return this.#listed === undefined ? DONE : this.#listed.put(key, value);
  }
  async list(prefix: string): Promise<readonly Pair[]> {
    const base = await this.#base.list(prefix);
    if (this.#writes.size === 0) return base;
    const writes = await this.#filed().list(prefix);
    if (writes.length === 0) return base;
    const merged = new Map([...base, ...writes].map((pair) => [pair.key, pair]));
    return [...merged.values()].sort(byKey);
  }
  /** Carries the writes over to the base. */
  async flush(): Promise<void> {
    for (const [key, value] of this.#writes) await this.#base.put(key, value);
    this.#writes.clear();
    this.#listed = undefined;
  }
  #filed(): MemoryState {
    if (this.#listed === undefined) {
      this.#listed = new MemoryState();
      for (const [key, value] of this.#writes) void this.#listed.put(key, value);
    }
    return this.#listed;
  }
}
