/**
 * Asks from TypeScript: connects as researcher by a configuration file, submits a query, tells the progress, prints
 * the groups and writes the files.
 *
 *   node examples/sdk/ask.ts researcher.json answer/
 *
 * With the package installed, import from 'healthchain', 'healthchain/ledger' and 'healthchain/protocol' instead.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { z } from 'zod';
import { RemoteLedger } from '../../ledger/index.ts';
import { HealthchainError, Identity } from '../../protocol/index.ts';
import {
  AnswerKeys,
  CoordinatorClient,
  renderDocument,
  Researcher,
  resultToArrow,
  resultToCsv,
  type Answer,
} from '../../researcher/index.ts';
import { query } from './query.ts';

/** The file that the command line reads as well (docs/deploy.md). */
const configuration = z.object({
  organisation: z.string(),
  keyFile: z.string(),
  stateFolder: z.string(),
  ledger: z.object({ url: z.string(), consortium: z.string(), operatorKey: z.string() }),
  coordinator: z.object({ url: z.string() }),
});

const [configFile, out] = process.argv.slice(2);
if (configFile === undefined || out === undefined) {
  console.error('usage: node examples/sdk/ask.ts <researcher configuration> <folder for the answer>');
  process.exit(2);
}

try {
  await ask(configFile, out);
} catch (error) {
  if (!(error instanceof HealthchainError)) throw error;
  // Every refusal, abort and fault has a code to branch on, and a hint for a person.
  console.error(`${error.kind} ${error.code}: ${error.message}\n${error.hint ?? ''}`);
  process.exitCode = 1;
}

async function ask(configFile: string, out: string): Promise<void> {
  const config = configuration.parse(JSON.parse(readFileSync(configFile, 'utf8')));
  const at = (path: string): string => resolve(dirname(configFile), path);
  const state = at(config.stateFolder);
  mkdirSync(state, { recursive: true, mode: 0o700 });

  // A replica that checks every entry and signature itself. The two pins say which ledger it must be; the checkpoint
  // remembers how long it was, so that a ledger that lost entries is noticed.
  const ledger = await RemoteLedger.connect({
    url: config.ledger.url,
    consortium: config.ledger.consortium,
    operator: config.ledger.operatorKey,
    checkpoint: join(state, 'ledger-head.json'),
  });
  try {
    const researcher = new Researcher({
      ledger,
      coordinator: new CoordinatorClient(config.coordinator.url),
      member: {
        organisation: config.organisation,
        identity: Identity.fromPem(readFileSync(at(config.keyFile), 'utf8')),
      },
      // The answer is sealed to a key made for this query alone; only who has this folder can open it.
      answerKeys: new AnswerKeys(join(state, 'answer-keys')),
    });

    const id = await researcher.submit(query);
    console.log(`submitted as ${id}`);
    const answer = await researcher.answer(id, {
      signal: AbortSignal.timeout(10 * 60_000),
      progress: (event) => console.log(`  ${event.stage}${'hospital' in event ? ` ${event.hospital}` : ''}`),
    });

    for (const group of answer.groups) console.log(group.key, group.status === 'released' ? group.values : 'withheld');
    writeFiles(out, answer, renderDocument(await ledger.export()));
  } finally {
    await ledger.close();
  }
}

function writeFiles(out: string, answer: Answer, ledgerExport: string): void {
  mkdirSync(out, { recursive: true });
  writeFileSync(join(out, 'result.json'), renderDocument(answer.result));
  writeFileSync(join(out, 'result.csv'), resultToCsv(answer));
  writeFileSync(join(out, 'result.arrow'), resultToArrow(answer, answer.result.receipt));
  writeFileSync(join(out, 'receipt.json'), renderDocument(answer.receipt));
  writeFileSync(join(out, 'ledger.json'), ledgerExport);
  console.log(`result, receipt and ledger export are in ${out}`);
}
