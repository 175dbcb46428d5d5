import type { Action, Entry, LedgerExport, LedgerHead, Tier } from '../protocol/ledger.ts';
import type { OrganisationRecord, PublicationRecord, QueryRecord, SessionRecord } from '../protocol/records.ts';
import type { ConsentEpoch, PatientRecord } from '../protocol/consent.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import type { Identity } from '../protocol/identity.ts';

/** A member of the consortium with its signing key: the caller of actions. */
export interface Member {
  readonly organisation: string;
  readonly identity: Identity;
}

/** Where an acknowledged action stands. */
export interface Acknowledgement {
  readonly index: number;
  /** Id of what the action made: the query's or the session's; empty for others. */
  readonly id: string;
}

/** The reads that every view of a ledger answers, from what it has verified itself: hash chain, signatures, contract. */
export interface LedgerView {
  /** 32 bytes as hexadecimal: the hash of the founding entry. */
  readonly consortium: string;
  /** What this ledger is for; undefined for one that is for everything. */
  readonly tier: Tier | undefined;
  organisation(id: string): OrganisationRecord | undefined;
  organisations(): readonly OrganisationRecord[];
  schema(reference: string): DatasetSchema | undefined;
  /** All versions, oldest first: of one dataset, or of every one. */
  schemas(dataset?: string): readonly DatasetSchema[];
  query(id: string): QueryRecord | undefined;
  queries(): readonly QueryRecord[];
  session(id: string): SessionRecord | undefined;
  /** Index of the entry that opened this session. */
  sessionOpenedAt(id: string): number | undefined;
  /** Time of the entry that completed this session, by the clock of whoever orders entries (ISO 8601). */
  sessionCompletedAt(id: string): string | undefined;
  /** What a patient's key has said on this ledger. */
  patient(key: string): PatientRecord | undefined;
  /** Every key that has said something. `ledger/consent.ts` says what follows from it. */
  patients(): Iterable<PatientRecord>;
  /** Epochs of consent, oldest first. */
  consentEpochs(): readonly ConsentEpoch[];
  publications(): readonly PublicationRecord[];
  /** The verified head: its root enters session transcripts, so that a forked ledger shows. */
  head(): LedgerHead;
  /** The Merkle root over the first `size` entries. */
  rootAt(size: number): string;
}

/** The consortium's ledger as its members use it. */
export interface Ledger extends LedgerView {
  /** Signs and submits; resolves once the action is durable. Rejects with the contract's Refusal, or a Fault LEDGER_DOWN. */
  submit(member: Member, action: Action): Promise<Acknowledgement>;
  /** Brings this process's view up to the ledger's present head. */
  refresh(): Promise<void>;
  /** Entries in order from `from` on, waiting for new ones until the signal ends it. */
  entries(from: number, signal: AbortSignal): AsyncIterable<Entry>;
  export(): Promise<LedgerExport>;
  close(): Promise<void>;
}
