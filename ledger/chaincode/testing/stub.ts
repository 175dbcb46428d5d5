import { hash } from 'node:crypto';
import { canonicalText } from '../../../protocol/canonical.ts';
import type { SignedAction } from '../../../protocol/ledger.ts';
import type { Creator } from '../caller.ts';
import { Chaincode, type Response, type Stub } from '../chaincode.ts';

interface Write {
  readonly value: Uint8Array;
  readonly timestamp: { readonly seconds: number; readonly nanos: number };
  readonly txId: string;
}

/** A channel in memory with one peer: writes of a transaction show once it has succeeded, as on Fabric. */
export class ChannelInMemory {
  readonly #world = new Map<string, Uint8Array>();
  readonly #history = new Map<string, Write[]>();
  readonly #chaincode: Chaincode;
  readonly failures: unknown[] = [];
  readonly events: { readonly name: string; readonly payload: string }[] = [];
  #creator: Creator = { mspId: 'NorthMSP', organisation: undefined };
  #millis = Date.UTC(2026, 0, 1);

  constructor() {
    this.#chaincode = new Chaincode(
      () => this.#creator,
      (error) => this.failures.push(error),
    );
  }
  get now(): string {
    return new Date(this.#millis).toISOString();
  }
  get keys(): readonly string[] {
    return [...this.#world.keys()].sort();
  }

  apply(creator: Creator, signed: SignedAction): Promise<Response> {
    return this.call(creator, 'apply', canonicalText(signed));
  }

  async call(creator: Creator, ...args: readonly (string | Uint8Array)[]): Promise<Response> {
    this.#creator = creator;
    this.#millis += 1500;
    const writes = new Map<string, Uint8Array>();
    const events: { name: string; payload: string }[] = [];
    const response = await this.#chaincode.invoke(this.#stub(args, writes, events));
    if (response.status !== 200) return response;
    const txId = hash('sha256', `${this.#millis}`);
    const timestamp = { seconds: Math.floor(this.#millis / 1000), nanos: (this.#millis % 1000) * 1e6 };
    for (const [key, value] of writes) {
      this.#world.set(key, value);
      this.#history.set(key, [{ value, timestamp, txId }, ...(this.#history.get(key) ?? [])]);
    }
    this.events.push(...events);
    return response;
  }

  #stub(
    args: readonly (string | Uint8Array)[],
    writes: Map<string, Uint8Array>,
    events: { name: string; payload: string }[],
  ): Stub {
    const world = this.#world;
    const history = this.#history;
    const millis = this.#millis;
    return {
      getBufferArgs: () => args.map((arg) => Buffer.from(arg as string)),
      getDateTimestamp: () => new Date(millis),
      getState: (key) => Promise.resolve(world.get(key) ?? new Uint8Array()),
      putState: (key, value) => {
        writes.set(key, value);
        return Promise.resolve();
      },
      // eslint-disable-next-line @typescript-eslint/require-await
      async *getStateByRange(start, end) {
        const keys = [...world.keys()].filter((key) => key >= start && key < end).sort();
        for (const key of keys) yield { key, value: world.get(key)! };
      },
      // eslint-disable-next-line @typescript-eslint/require-await
      async *getHistoryForKey(key) {
        yield* history.get(key) ?? [];
      },
      setEvent: (name, payload) => void events.push({ name, payload: Buffer.from(payload).toString('utf8') }),
    };
  }
}
