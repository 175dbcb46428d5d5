import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Milliseconds of each part of a check, in a process of its own: nothing is warm, as when somebody checks a file. */
export interface Stages {
  /** From the sources; `healthchain verify` loads one file. */
  readonly load: number;
  readonly ledger: number;
  /** Read from the table, and what it does not hold derived by one thread; `healthchain verify` has two at that. */
  readonly generators: number;
  readonly commitments: number;
  readonly result: number;
}

if (import.meta.main) console.log(JSON.stringify(await stagesOf(process.argv[2]!)));

async function stagesOf(folder: string): Promise<Stages> {
  const read = (name: string): string => readFileSync(join(folder, `${name}.json`), 'utf8');
  const clock = { last: performance.now() };
  const lap = (): number => {
    const before = clock.last;
    clock.last = performance.now();
    return clock.last - before;
  };
  // Loaded here and not above, so that loading is timed.
  await import('../../cli/main.ts');
  await import('../../cli/commands/verify.ts');
  const { verifyExport } = await import('../../ledger/index.ts');
  const { decode, planQuery } = await import('../../analytics/index.ts');
  const { fromHex } = await import('../../protocol/bytes.ts');
  const { checkDocument } = await import('../../protocol/canonical.ts');
  const { ledgerExport } = await import('../../protocol/ledger.ts');
  const { verifyOpening } = await import('../../mpc/sum/opening.ts');
  const { deriveGenerators } = await import('../../mpc/kernels/generators.ts');
  const documents = await import('../../researcher/result/documents.ts');
  const load = lap();

  const exported = documents.parseFaithfully(read('ledger'), 'ledger export');
  const ledger = await verifyExport(checkDocument(ledgerExport, exported, { what: 'ledger export' }));
  const ledgerTime = lap();

  const receipt = checkDocument(documents.receiptDocument, documents.parseFaithfully(read('receipt'), 'receipt'), {
    what: 'receipt',
  });
  const session = ledger.session(receipt.session)!;
  const opening = documents.openingOfStep(receipt.steps[0]!);
  const receiptTime = lap();
  deriveGenerators(opening.cells.length);
  const generators = lap();
  const commitments = session.roster.map((party) => fromHex(session.commitments[0]![party]!, 32));
  const verified = verifyOpening(opening, commitments);
  const check = lap();

  const { query } = ledger.query(receipt.query)!;
  const groups = decode(planQuery(query, ledger.schema(query.dataset)!), (index) => verified.at(index));
  const expected = JSON.stringify(documents.makeResult(groups, receipt));
  if (JSON.stringify(documents.parseFaithfully(read('result'), 'result')).length !== expected.length)
    throw new Error('the result is not that of the receipt');
  return { load, ledger: ledgerTime, generators, commitments: check, result: receiptTime + lap() };
}
