import type { Pair, State } from '../contract/state.ts';

/** What the contract needs of Fabric's chaincode stub. */
export interface WorldState {
  getState(key: string): Promise<Uint8Array>;
  putState(key: string, value: Uint8Array): Promise<void>;
  getStateByRange(start: string, end: string): AsyncIterable<{ readonly key: string; readonly value: Uint8Array }>;
}

/**
 * The world state of a channel as the contract's state. Every read enters the transaction's read set, so that of two
 * transactions that rest on each other's keys Fabric commits one and invalidates the other (MVCC); a list also guards
 * against keys that appear within its range meanwhile.
 */
export class ChannelState implements State {
  readonly #stub: WorldState;

  constructor(stub: WorldState) {
    this.#stub = stub;
  }
  /** Fabric answers a missing key with no bytes; the contract never writes an empty value. */
  async get(key: string): Promise<string | undefined> {
    const value = await this.#stub.getState(key);
    return value.length === 0 ? undefined : Buffer.from(value).toString('utf8');
  }
  put(key: string, value: string): Promise<void> {
    return this.#stub.putState(key, Buffer.from(value, 'utf8'));
  }
  async list(prefix: string): Promise<readonly Pair[]> {
    const pairs: Pair[] = [];
    for await (const { key, value } of this.#stub.getStateByRange(prefix, rangeEnd(prefix))) {
      pairs.push({ key, value: Buffer.from(value).toString('utf8') });
    }
    return pairs;
  }
}

/** The first key after all that begin with a prefix that ends in "/": "0" follows "/" in ASCII. */
const rangeEnd = (prefix: string): string => `${prefix.slice(0, -1)}0`;
