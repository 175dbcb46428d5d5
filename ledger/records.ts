import type { ConsentEpoch, PatientRecord } from '../protocol/consent.ts';
import type { OrganisationRecord, PublicationRecord, QueryRecord, SessionRecord } from '../protocol/records.ts';
import type { DatasetSchema } from '../protocol/schema.ts';
import type { LedgerEvent } from './contract/call.ts';
import {
  readEpoch,
  readOrganisation,
  readPatient,
  readPublications,
  readQuery,
  readSchema,
  readSession,
} from './contract/readers.ts';
import type { State } from './contract/state.ts';

/** The records of a ledger ready to be read without waiting, each read again when an entry changes it. */
export class Records {
  readonly organisations = new Map<string, OrganisationRecord>();
  readonly schemas = new Map<string, DatasetSchema>();
  readonly queries = new Map<string, QueryRecord>();
  readonly sessions = new Map<string, SessionRecord>();
  readonly patients = new Map<string, PatientRecord>();
  readonly epochs = new Map<string, ConsentEpoch>();
  /** By session. */
  readonly publications = new Map<string, readonly PublicationRecord[]>();

  /** Reads what the events name; nothing is seen before the caller calls what this resolves to. */
  async read(state: State, events: readonly LedgerEvent[]): Promise<() => void> {
    const touched = new Map(events.map((event) => [`${event.record} ${event.id}`, event]));
    const keeps: (() => void)[] = [];
    for (const event of touched.values()) keeps.push(await this.#readOne(state, event));
    return () => keeps.forEach((keep) => keep());
  }

  #readOne(state: State, { record, id }: LedgerEvent): Promise<() => void> {
    switch (record) {
      case 'organisation':
        return keeping(this.organisations, id, readOrganisation(state, id));
      case 'schema':
        return keeping(this.schemas, id, readSchema(state, id));
      case 'query':
        return keeping(this.queries, id, readQuery(state, id));
      case 'session':
        return keeping(this.sessions, id, readSession(state, id));
      case 'patient':
        return keeping(this.patients, id, readPatient(state, id));
      case 'epoch':
        return this.#readEpoch(state, id);
      case 'publication':
        return keeping(this.publications, id, readPublications(state, id));
    }
  }

  /** With an epoch that was withdrawn all patients change whose statements took effect after it. */
  async #readEpoch(state: State, id: string): Promise<() => void> {
    const epoch = await readEpoch(state, id);
    const keeps = [await keeping(this.epochs, id, Promise.resolve(epoch))];
    for (const { patient, consents } of epoch?.withdrawn === undefined ? [] : this.patients.values())
      if (consents.some((each) => each.epoch === id))
        keeps.push(await keeping(this.patients, patient, readPatient(state, patient)));
    return () => keeps.forEach((keep) => keep());
  }
}

async function keeping<T>(map: Map<string, T>, id: string, reading: Promise<T | undefined>): Promise<() => void> {
  const record = await reading;
  return () => record !== undefined && map.set(id, record);
}
