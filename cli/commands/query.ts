import type { Command } from 'commander';
import type { Progress } from '../../researcher/progress.ts';
import { readConfig, researcherConfig } from '../config.ts';
import { closing, connectResearcher, type ConnectedResearcher } from '../connect.ts';
import { readText } from '../files.ts';
import { done, print, say, warn } from '../output.ts';
import { fetchAnswer } from '../answer-files.ts';
import { seconds } from '../numbers.ts';
import { parseQueryFile } from '../query-file.ts';

export function addQueryCommands(program: Command): void {
  const query = program.command('query').description('ask, follow, and fetch the answer (as researcher)');

  query
    .command('submit')
    .description('submit a query; prints its id')
    .requiredOption('--config <file>', 'researcher configuration (JSON)')
    .requiredOption('--query <file>', 'the query (JSON)')
    .option('--hospital <id...>', 'ask only these hospitals')
    .action(async (options: { config: string; query: string; hospital?: string[] }) => {
      const asked = options.hospital === undefined ? {} : { hospitals: options.hospital };
      const query = parseQueryFile(readText(options.query, 'query'), options.query);
      await asResearcher(options.config, async ({ researcher }) => print(await researcher.submit(query, asked)));
    });

  query
    .command('status')
    .description('how far a query is')
    .argument('<id>', 'query id')
    .requiredOption('--config <file>', 'researcher configuration (JSON)')
    .action((id: string, options: { config: string }) =>
      asResearcher(options.config, async ({ researcher, ledger }) => {
        await ledger.refresh();
        const { status, events } = researcher.status(id);
        for (const event of events) say(describeProgress(event));
        print(status);
      }),
    );

  query
    .command('result')
    .description('wait for the answer, verify it, and write the files')
    .argument('<id>', 'query id')
    .requiredOption('--config <file>', 'researcher configuration (JSON)')
    .requiredOption('--out <folder>', 'where result.json, result.csv, result.arrow, receipt.json and ledger.json go')
    .option('--timeout <seconds>', 'how long to wait', seconds, 86_400)
    .action((id: string, options: { config: string; out: string; timeout: number }) =>
      asResearcher(options.config, async (connected) => {
        await fetchAnswer(connected, id, { ...options, progress: showProgress });
        done(`verified; files are in ${options.out}`);
      }),
    );
}

const asResearcher = async (path: string, run: (connected: ConnectedResearcher) => Promise<void>): Promise<void> =>
  closing(await connectResearcher(readConfig(researcherConfig, path)), run);

/** Each event as a line; what went wrong stands out. */
export function showProgress(event: Progress): void {
  const line = describeProgress(event);
  if (event.stage === 'denied' || event.stage === 'aborted') warn(line);
  else done(line);
}

function describeProgress(event: Progress): string {
  switch (event.stage) {
    case 'submitted':
      return `query ${event.query.slice(0, 12)} submitted to ${event.hospitals.length} hospitals`;
    case 'approved':
      return `${event.hospital} approved`;
    case 'denied':
      return `${event.hospital} denied: ${event.reason ?? 'no reason given'}`;
    case 'session':
      return `session ${event.session.slice(0, 12)} opened${event.attempt === 0 ? '' : ` (attempt ${event.attempt + 1})`} with ${event.hospitals.length} hospitals`;
    case 'committed':
      return `${event.hospital} computed over its records and committed to its numbers`;
    case 'share':
      return `sealed share of ${event.hospital} received`;
    case 'aborted':
      return `the session was aborted: ${event.reason}${event.blame === undefined ? '' : `, naming ${event.blame}`}${
        event.evidence === undefined ? '' : `; evidence ${event.evidence.slice(0, 12)}`
      }`;
    case 'verified':
      return `${event.opened} sums opened and verified against the commitments on the ledger${
        event.opened === event.cells ? '' : `; ${event.cells - event.opened} withheld, opened to nobody`
      }`;
  }
}
