import { toHex } from '../protocol/bytes.ts';
import { Abort, Misuse } from '../protocol/errors.ts';
import type { Entry, LedgerHead, SignedAction, Tier, TreeHead } from '../protocol/ledger.ts';
import type { OrganisationRecord, PublicationRecord, QueryRecord, SessionRecord } from '../protocol/records.ts';
import type { ConsentEpoch, PatientRecord } from '../protocol/consent.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import { Chain, type Place, type Stage } from './chain.ts';
import { verifyHeadSignature, type Pins } from './heads.ts';
import type { LedgerView } from './ledger.ts';
import { Records } from './records.ts';

/** A copy of a ledger that holds nothing but what has been verified, and answers from it. */
export abstract class LedgerCopy<Head extends LedgerHead> implements LedgerView {
  readonly #chain = new Chain();
  readonly #records = new Records();
  #head: Head | undefined;

  /** Entries to try out on top of the copy. One at a time. */
  protected stage(): Stage {
    return this.#chain.stage();
  }
  /** Takes over a stage, and the head that covers it. */
  protected async keep(stage: Stage, head: Head): Promise<void> {
    const keepRecords = await this.#records.read(stage.state, stage.events);
    await stage.commit();
    keepRecords();
    this.#head = head;
  }
  /** Undefined while the copy is empty. */
  protected get lastHead(): Head | undefined {
    return this.#head;
  }

  get size(): number {
    return this.#chain.size;
  }
  get consortium(): string {
    return this.head().consortium;
  }
  get tier(): Tier | undefined {
    const founding = this.#chain.entries[0]?.signed.action;
    return founding?.type === 'createConsortium' ? founding.tier : undefined;
  }
  get list(): readonly Entry[] {
    return this.#chain.entries;
  }
  find(signed: SignedAction): Place | undefined {
    return this.#chain.find(signed);
  }
  organisation(id: string): OrganisationRecord | undefined {
    return this.#records.organisations.get(id);
  }
  organisations(): readonly OrganisationRecord[] {
    return [...this.#records.organisations.values()];
  }
  schema(reference: string): DatasetSchema | undefined {
    return this.#records.schemas.get(reference);
  }
  schemas(dataset?: string): readonly DatasetSchema[] {
    return [...this.#records.schemas.values()].filter((schema) => dataset === undefined || schema.dataset === dataset);
  }
  query(id: string): QueryRecord | undefined {
    return this.#records.queries.get(id);
  }
  /** In the order of submission. */
  queries(): readonly QueryRecord[] {
    return [...this.#records.queries.values()];
  }
  session(id: string): SessionRecord | undefined {
    return this.#records.sessions.get(id);
  }
  sessionOpenedAt(id: string): number | undefined {
    return this.#chain.sessionOpenedAt(id);
  }
  sessionCompletedAt(id: string): string | undefined {
    return this.#chain.sessionCompletedAt(id);
  }
  patient(key: string): PatientRecord | undefined {
    return this.#records.patients.get(key);
  }
  patients(): Iterable<PatientRecord> {
    return this.#records.patients.values();
  }
  /** In the order in which they were opened, which is that of their months but for withdrawn ones. */
  consentEpochs(): readonly ConsentEpoch[] {
    return [...this.#records.epochs.values()];
  }
  publications(): readonly PublicationRecord[] {
    return [...this.#records.publications.values()].flat();
  }
  head(): Head {
    if (this.#head === undefined) throw new Misuse('OUT_OF_ORDER', 'this copy of the ledger is still empty');
    return this.#head;
  }
  rootAt(size: number): string {
    return toHex(this.#chain.tree.rootAt(size));
  }
}

/**
 * A verified copy of an embedded ledger: every entry linked, signed and allowed by the contract, all of them under a tree
 * head that the pinned operator signed. Nothing enters before all of that holds.
 */
export class Replica extends LedgerCopy<TreeHead> {
  readonly #pins: Pins;
  /** The last head whose signature was checked; it may not have been followed yet. */
  #checked: TreeHead | undefined;

  /** What is not pinned is taken from the first head. */
  constructor(pins: Pins) {
    super();
    this.#pins = pins;
  }

  /**
   * Extends the copy by the entries that `head` adds. Rejects with `Abort FORGED_LEDGER`, naming the check, and stays as
   * it was. One call at a time. `entries` must come in order from `this.size` on.
   */
  async extend(head: TreeHead, entries: AsyncIterable<Entry> | Iterable<Entry>): Promise<void> {
    this.verifyHead(head);
    const stage = this.stage();
    for await (const entry of entries) {
      if (stage.size >= head.size) throw new Abort('FORGED_LEDGER', `entry ${entry.index} is not under the tree head`);
      await stage.accept(entry);
    }
    verifyRoot(head, stage);
    await this.keep(stage, head);
  }

  /** Checks signature and pins of a head, once the first is known also that it is of the same operator and consortium. */
  verifyHead(head: TreeHead): void {
    // The head of an acknowledgement is mostly the one that the stream has brought already.
    if (head === this.#checked || isSameHead(head, this.lastHead)) return;
    verifyHeadSignature(head, {
      consortium: this.#pins.consortium ?? this.lastHead?.consortium,
      operator: this.#pins.operator ?? this.lastHead?.publicKey,
    });
    this.#checked = head;
  }
}

const isSameHead = (a: TreeHead, b: TreeHead | undefined): boolean =>
  a.signature === b?.signature &&
  a.root === b.root &&
  a.size === b.size &&
  a.publicKey === b.publicKey &&
  a.consortium === b.consortium;

function verifyRoot(head: TreeHead, stage: Stage): void {
  if (stage.size !== head.size) {
    throw new Abort('FORGED_LEDGER', `${stage.size} entries under a tree head of ${head.size}`);
  }
  if (stage.consortium !== head.consortium) {
    throw new Abort('FORGED_LEDGER', 'the founding entry is not the one that the consortium is named after');
  }
  if (toHex(stage.root()) !== head.root) {
    throw new Abort('FORGED_LEDGER', `the entries do not hash to the root of the tree head of size ${head.size}`);
  }
}
