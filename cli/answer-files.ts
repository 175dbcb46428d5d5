import { join } from 'node:path';
import type { Ledger } from '../ledger/ledger.ts';
import type { Answer, Researcher } from '../researcher/client.ts';
import type { Progress } from '../researcher/progress.ts';
import { resultToArrow } from '../researcher/result/arrow.ts';
import { resultToCsv } from '../researcher/result/csv.ts';
import { renderDocument } from '../researcher/result/documents.ts';
import { writeWhole } from './files.ts';
import { print, say, warn } from './output.ts';
import { resultTable } from './result-table.ts';

export interface Fetching {
  /** Where the files go. */
  readonly out: string;
  /** Seconds to wait. */
  readonly timeout: number;
  readonly progress: (event: Progress) => void;
}

/** Waits for an answer, shows it and writes its files. Where a cheat spoiled it, writes what convicts it and says how to judge that. Errors: as `Researcher.answer`. */
export async function fetchAnswer(
  { researcher, ledger }: { researcher: Researcher; ledger: Ledger },
  id: string,
  { out, timeout, progress }: Fetching,
): Promise<void> {
  let evidence: string | undefined;
  try {
    const answer = await researcher.answer(id, {
      signal: AbortSignal.timeout(1000 * timeout),
      progress,
      evidence: (document) => (evidence = writeEvidence(out, document)),
    });
    print(resultTable(answer));
    await writeAnswer(out, answer, ledger);
  } catch (error) {
    if (evidence !== undefined) await tellEvidence(evidence, out, ledger);
    throw error;
  }
}

/** Writes result.json, result.csv, result.arrow, receipt.json and ledger.json into a folder. */
export async function writeAnswer(folder: string, answer: Answer, ledger: Ledger): Promise<void> {
  writeWhole(join(folder, 'result.json'), renderDocument(answer.result));
  writeWhole(join(folder, 'result.csv'), resultToCsv(answer));
  writeWhole(join(folder, 'result.arrow'), resultToArrow(answer, answer.result.receipt));
  writeWhole(join(folder, 'receipt.json'), renderDocument(answer.receipt));
  await writeLedger(folder, ledger);
}

async function writeLedger(folder: string, ledger: Ledger): Promise<string> {
  const path = join(folder, 'ledger.json');
  writeWhole(path, renderDocument(await ledger.export()));
  return path;
}

/** What convicts a cheat, for anyone to judge. */
function writeEvidence(folder: string, document: object): string {
  const path = join(folder, 'blame-evidence.json');
  writeWhole(path, renderDocument(document));
  return path;
}

async function tellEvidence(evidence: string, folder: string, ledger: Ledger): Promise<void> {
  warn(`evidence is in ${evidence}, and its digest on the ledger; anyone can judge it, as does:`);
  // The cheat is what the reader must hear of, whatever becomes of the export.
  const exported = await writeLedger(folder, ledger).catch(() => 'ledger.json');
  say(`    healthchain verify ${evidence} --ledger ${exported}`);
}
