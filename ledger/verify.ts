import type { Entry, LedgerExport } from '../protocol/ledger.ts';
import type { Pins } from './heads.ts';
import type { LedgerView } from './ledger.ts';
import { Replica } from './replica.ts';

/** A ledger that was replayed and checked from one document, as it stood at `head()`. */
export interface VerifiedLedger extends LedgerView {
  readonly entries: readonly Entry[];
}

/**
 * Replays a whole ledger offline: every link, every signature, every rule of the contract, the Merkle root and the
 * operator's signature under it. Rejects with `Abort FORGED_LEDGER` that names the entry and the check.
 *
 * Without pins this proves that the document is a ledger of the consortium and operator that it names itself, not
 * that these are the ones you mean: pass both, or compare `consortium` and `head().publicKey` with what you know.
 * Nor does it prove that this is the newest state, or that the operator shows everybody the same.
 *
 * Cost: about 0.3 ms an entry.
 */
export async function verifyExport(document: LedgerExport, pins: Pins = {}): Promise<VerifiedLedger> {
  const replica = new Replica(pins);
  await replica.extend(document.head, document.entries);
  return {
    consortium: replica.consortium,
    tier: replica.tier,
    entries: replica.list,
    organisation: (id) => replica.organisation(id),
    organisations: () => replica.organisations(),
    schema: (reference) => replica.schema(reference),
    schemas: (dataset) => replica.schemas(dataset),
    query: (id) => replica.query(id),
    queries: () => replica.queries(),
    session: (id) => replica.session(id),
    sessionOpenedAt: (id) => replica.sessionOpenedAt(id),
    sessionCompletedAt: (id) => replica.sessionCompletedAt(id),
    patient: (key) => replica.patient(key),
    patients: () => replica.patients(),
    consentEpochs: () => replica.consentEpochs(),
    publications: () => replica.publications(),
    head: () => replica.head(),
    rootAt: (size) => replica.rootAt(size),
  };
}
