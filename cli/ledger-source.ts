import { verifyExport, type Acknowledgement, type Ledger, type LedgerView } from '../ledger/index.ts';
import { decodeDocument } from '../protocol/canonical.ts';
import { Misuse } from '../protocol/errors.ts';
import { ledgerExport, type Action, type Entry } from '../protocol/ledger.ts';
import { memberConfig, readConfig, readMember, type MemberFileConfig } from './config.ts';
import { closing, connectLedger, connectPublicLedger, type ConnectedLedger, type MemberConnection } from './connect.ts';
import { readText } from './files.ts';
import { say } from './output.ts';

/** Bytes of an export: 10^5 patients' statements take some 125 MB, and no text that JavaScript holds is longer than 512 MB. */
const LONGEST = 512 * 2 ** 20;

/** Where a command reads: a member's own view of the ledger, or an export, checked offline. */
export interface LedgerSource {
  readonly config?: string;
  readonly ledger?: string;
  /** Of a member's two ledgers the public one. */
  readonly public?: boolean;
}

/**
 * Opens the ledger, runs, closes. Errors: `Misuse BAD_CONFIG` unless exactly one source is given; `Abort FORGED_LEDGER` for
 * an export that does not verify.
 */
export async function withLedgerView<T>(
  source: LedgerSource,
  run: (view: LedgerView, entries: readonly Entry[]) => T,
): Promise<T> {
  if ((source.config === undefined) === (source.ledger === undefined)) {
    throw new Misuse('BAD_CONFIG', 'give either --config or --ledger', {
      hint: '--config reads as a member; --ledger reads an export, as from: healthchain ledger export',
    });
  }
  if (source.ledger !== undefined) {
    const text = readText(source.ledger, 'ledger export');
    const verified = await verifyExport(decodeDocument(ledgerExport, text, { what: source.ledger, limit: LONGEST }));
    say(`consortium ${verified.consortium}: ${verified.entries.length} entries, every one verified`);
    return run(verified, verified.entries);
  }
  return closing(await openLedger(readConfig(memberConfig, source.config!), source.public === true), async (ledger) => {
    await ledger.refresh();
    return run(ledger, await entriesOf(ledger));
  });
}

/** A member at its ledger: who it is by its configuration, and how it records an action. */
export interface AtLedger {
  readonly config: MemberFileConfig;
  readonly ledger: ConnectedLedger;
  readonly submit: (action: Action) => Promise<Acknowledgement>;
}

/** Reads a member's configuration, opens its ledger, runs, closes. `open` says which of its ledgers. */
export async function asMember<T>(
  path: string,
  run: (at: AtLedger) => T | Promise<T>,
  open: (config: MemberFileConfig) => Promise<ConnectedLedger> = connectLedger,
): Promise<T> {
  const config = readConfig(memberConfig, path);
  return closing(await open(config), (ledger) =>
    run({ config, ledger, submit: (action) => ledger.submit(readMember(config), action) }),
  );
}

/** All entries that the ledger has now. */
async function entriesOf(ledger: Ledger): Promise<readonly Entry[]> {
  const { size } = ledger.head();
  const entries: Entry[] = [];
  const enough = new AbortController();
  for await (const entry of ledger.entries(0, enough.signal)) {
    if (entries.push(entry) >= size) break;
  }
  enough.abort();
  return entries;
}

/** The public ledger where that is meant and the configuration has one; `Misuse BAD_CONFIG` where it has none. */
export async function openLedger(config: MemberConnection, ofPublic: boolean): Promise<ConnectedLedger> {
  if (!ofPublic) return connectLedger(config);
  const ledger = await connectPublicLedger(config);
  if (ledger !== undefined) return ledger;
  throw new Misuse('BAD_CONFIG', 'the configuration names no public ledger', {
    hint: 'Add "publicLedger", or leave --public out.',
  });
}

/** Where patients' statements go: the public ledger, or the one that is for everything. */
export const openStatementsLedger = async (config: MemberConnection): Promise<ConnectedLedger> =>
  (await connectPublicLedger(config)) ?? (await connectLedger(config));
