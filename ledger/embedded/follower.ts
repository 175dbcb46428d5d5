import { fromHex } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import type { Entry, TreeHead } from '../../protocol/ledger.ts';
import { Growth } from '../growth.ts';
import type { Pins } from '../heads.ts';
import { verifyConsistency } from '../merkle.ts';
import { Replica } from '../replica.ts';
import type { Batch } from './batch.ts';
import { Checkpoint } from './checkpoint.ts';
import type { LedgerTransport } from './transport.ts';

/** A stream that is later than this is fetched around. */
const STREAM_PATIENCE_MS = 2000;

/**
 * Brings a replica up to the heads that a ledger shows. Heads may arrive from requests and the stream at once: they are
 * taken one after the other. A ledger once caught lying is not asked again by this process: the first `Abort` stands.
 */
export class Follower {
  readonly replica: Replica;
  readonly growth = new Growth();
  /** Whether entries arrive by themselves, so that none need be asked for. */
  #streaming = false;
  readonly #transport: LedgerTransport;
  #checkpoint: Checkpoint | undefined;
  #turn: Promise<void> = Promise.resolve();
  #caught: Abort | undefined;

  constructor(transport: LedgerTransport, pins: Pins) {
    this.#transport = transport;
    this.replica = new Replica(pins);
  }

  /** Throws the `Abort` by which the ledger was caught, if it was. */
  requireHonest(): void {
    if (this.#caught !== undefined) throw this.#caught;
  }

  /** Asks for the present head and follows it. Errors: `Abort LEDGER_FORK`, `FORGED_LEDGER`; `Fault LEDGER_DOWN`. */
  async refresh(): Promise<void> {
    this.requireHonest();
    const known = this.replica.size;
    const head = await this.#transport.head();
    await this.catchUp(head);
    if (head.size < known) this.#catch(rolledBack(head.size, known));
  }

  setStreaming(streaming: boolean): void {
    this.#streaming = streaming;
    this.growth.notify();
  }

  /** As `follow`, but what a stream is about to bring is not fetched a second time. */
  async catchUp(head: TreeHead): Promise<void> {
    const patience = AbortSignal.timeout(STREAM_PATIENCE_MS);
    const comes = (): boolean => this.#streaming && this.#caught === undefined && !patience.aborted;
    while (this.replica.size < head.size && comes()) await this.growth.next(patience);
    return this.follow(head);
  }

  /**
   * Follows one head: fetches what it adds but for the entries that came along, and checks all of it. A head older than
   * the replica is only checked. Errors: as `refresh`.
   */
  follow(head: TreeHead, offered: readonly Entry[] = []): Promise<void> {
    const turn = this.#turn.then(() => this.#follow(head, offered));
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  /**
   * Follows what came together under the last of its heads, which covers all of it. An earlier head vouches for nothing that
   * is used: it is compared with the copy, and its signature is checked where it differs, for then it proves a fork.
   */
  async followAll(batches: readonly Batch[]): Promise<void> {
    const heads = batches.map(({ head }) => head);
    const last = heads.pop();
    if (last === undefined) return;
    await this.follow(
      last,
      batches.flatMap(({ entries }) => entries),
    );
    for (const head of heads) {
      const agrees = head.size <= this.replica.size && this.replica.rootAt(head.size) === head.root;
      if (!agrees) await this.follow(head);
    }
  }

  /** Requires the replica to continue what an earlier run saw, and keeps its heads in the file from here on. */
  async continueFrom(seen: TreeHead | undefined, checkpoint: string): Promise<void> {
    if (seen !== undefined) {
      if (this.replica.size < seen.size) this.#catch(rolledBack(this.replica.size, seen.size));
      this.#requireSamePast(seen);
    }
    this.#checkpoint = new Checkpoint(checkpoint);
    this.#checkpoint.save(this.replica.head());
    await this.#checkpoint.flush();
  }

  /** Puts the newest head on the disk. Errors: `Fault DISK`. */
  async close(): Promise<void> {
    await this.#turn;
    await this.#checkpoint?.flush();
  }

  async #follow(head: TreeHead, offered: readonly Entry[]): Promise<void> {
    this.requireHonest();
    try {
      this.replica.verifyHead(head);
      if (head.size > this.replica.size) await this.#extend(head, offered);
      else this.#requireSamePast(head);
    } catch (error) {
      if (error instanceof Abort) this.#catch(error);
      throw error;
    }
    this.growth.notify();
    this.#checkpoint?.save(head);
  }

  async #extend(head: TreeHead, offered: readonly Entry[]): Promise<void> {
    try {
      await this.replica.extend(head, this.#missing(head, offered));
    } catch (error) {
      if (error instanceof Abort && (await this.#contradicts(head))) throw forked(head, error);
      throw error;
    }
  }

  /** The entries that a head adds, in order: from what came along while it fits, then page by page. */
  async *#missing(head: TreeHead, offered: readonly Entry[]): AsyncGenerator<Entry> {
    let next = this.replica.size;
    for (const entry of offered) {
      if (entry.index !== next || next >= head.size) continue;
      yield entry;
      next += 1;
    }
    while (next < head.size) {
      const page = await this.#transport.entries(next, head.size);
      if (page.length === 0) {
        throw new Abort('FORGED_LEDGER', `the ledger does not show entry ${next} of the ${head.size} under its head`);
      }
      yield* page;
      next += page.length;
    }
  }

  /** True when the ledger answers that it cannot connect this signed head to the last one it signed for us. */
  async #contradicts(head: TreeHead): Promise<boolean> {
    if (this.replica.size === 0) return false;
    const last = this.replica.head();
    const claim = { from: last.size, to: head.size, fromRoot: fromHex(last.root, 32), toRoot: fromHex(head.root, 32) };
    try {
      return !verifyConsistency(claim, await this.#transport.consistency(last.size, head.size));
    } catch {
      return false; // No answer proves nothing; the error at hand stands.
    }
  }

  #requireSamePast(head: TreeHead): void {
    if (this.replica.rootAt(head.size) !== head.root) this.#catch(forked(head));
  }

  #catch(abort: Abort): never {
    this.#caught ??= abort;
    this.growth.notify();
    throw abort;
  }
}

const evidence = 'Stop using this ledger; keep its heads as evidence and compare them with another member.';

const forked = (head: TreeHead, cause?: Abort): Abort =>
  new Abort(
    'LEDGER_FORK',
    `the operator signed two pasts: its head of ${head.size} entries contradicts this process's`,
    {
      hint: evidence,
      cause,
    },
  );

const rolledBack = (size: number, known: number): Abort =>
  new Abort('LEDGER_FORK', `the ledger shows ${size} entries where ${known} were signed before`, { hint: evidence });
