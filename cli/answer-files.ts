import { join } from 'node:path';
import type { Ledger } from '../ledger/ledger.ts';
import type { Answer } from '../researcher/client.ts';
import { resultToArrow } from '../researcher/result/arrow.ts';
import { resultToCsv } from '../researcher/result/csv.ts';
import { renderDocument } from '../researcher/result/documents.ts';
import { writeWhole } from './files.ts';

/** Writes result.json, result.csv, result.arrow, receipt.json and ledger.json into a folder. */
export async function writeAnswer(folder: string, answer: Answer, ledger: Ledger): Promise<void> {
  writeWhole(join(folder, 'result.json'), renderDocument(answer.result));
  writeWhole(join(folder, 'result.csv'), resultToCsv(answer));
  writeWhole(join(folder, 'result.arrow'), resultToArrow(answer, answer.result.receipt));
  writeWhole(join(folder, 'receipt.json'), renderDocument(answer.receipt));
  writeWhole(join(folder, 'ledger.json'), renderDocument(await ledger.export()));
}

/** What convicts a cheat, for the consortium to judge again. */
export function writeEvidence(folder: string, document: object): void {
  writeWhole(join(folder, 'blame-evidence.json'), renderDocument(document));
}
