import type { ConsentEpoch, PatientRecord } from '../protocol/consent.ts';
import type { LedgerHead, Tier } from '../protocol/ledger.ts';
import type { OrganisationRecord, PublicationRecord, QueryRecord, SessionRecord } from '../protocol/records.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import type { LedgerView } from './ledger.ts';

/** Answers every read of a ledger from the verified copy behind it. */
export abstract class ViewThrough implements LedgerView {
  protected abstract readonly view: LedgerView;

  get consortium(): string {
    return this.view.consortium;
  }
  get tier(): Tier | undefined {
    return this.view.tier;
  }
  organisation(id: string): OrganisationRecord | undefined {
    return this.view.organisation(id);
  }
  organisations(): readonly OrganisationRecord[] {
    return this.view.organisations();
  }
  schema(reference: string): DatasetSchema | undefined {
    return this.view.schema(reference);
  }
  schemas(dataset?: string): readonly DatasetSchema[] {
    return this.view.schemas(dataset);
  }
  query(id: string): QueryRecord | undefined {
    return this.view.query(id);
  }
  queries(): readonly QueryRecord[] {
    return this.view.queries();
  }
  session(id: string): SessionRecord | undefined {
    return this.view.session(id);
  }
  sessionOpenedAt(id: string): number | undefined {
    return this.view.sessionOpenedAt(id);
  }
  sessionCompletedAt(id: string): string | undefined {
    return this.view.sessionCompletedAt(id);
  }
  patient(key: string): PatientRecord | undefined {
    return this.view.patient(key);
  }
  patients(): Iterable<PatientRecord> {
    return this.view.patients();
  }
  consentEpochs(): readonly ConsentEpoch[] {
    return this.view.consentEpochs();
  }
  publications(): readonly PublicationRecord[] {
    return this.view.publications();
  }
  head(): LedgerHead {
    return this.view.head();
  }
  rootAt(size: number): string {
    return this.view.rootAt(size);
  }
}
