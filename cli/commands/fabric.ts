import { relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { downNetwork, networkStatus, upNetwork } from '../../ledger/fabric/network/index.ts';
import { Misuse } from '../../protocol/errors.ts';
import { done, print, say } from '../output.ts';

const DIR = '.cache/fabric';

interface UpArguments {
  dir: string;
  hospitals?: string;
  orderers?: string;
  consensus?: string;
  channels?: string;
}

export function addFabricCommands(program: Command): void {
  const fabric = program
    .command('fabric')
    .description('a network of Hyperledger Fabric on this machine, for a first try and for tests (needs its programs)');

  fabric
    .command('up')
    .description('make a network, or start the one in the folder again; done when a submit succeeds everywhere')
    .option('--dir <folder>', 'where certificates, ledgers and logs go', DIR)
    .option('--hospitals <n>', 'hospitals, each with a peer; besides them the research office and the authority (2)')
    .option('--orderers <n>', 'ordering nodes (1; 4 with --consensus bft)')
    .option('--consensus <raft|bft>', 'how they agree (raft)')
    .option('--channels <names>', 'channels, with commas between (consortium,public)')
    .action(async (options: UpArguments) => {
      const interrupted = new AbortController();
      process.once('SIGINT', () => interrupted.abort(new Misuse('OUT_OF_ORDER', 'interrupted')));
      process.once('SIGTERM', () => interrupted.abort(new Misuse('OUT_OF_ORDER', 'interrupted')));
      const begun = Date.now();
      const network = await upNetwork({
        folder: options.dir,
        ...(options.hospitals === undefined ? {} : { hospitals: count('hospitals', options.hospitals) }),
        ...(options.orderers === undefined ? {} : { orderers: count('orderers', options.orderers) }),
        ...(options.consensus === undefined ? {} : { consensus: consensus(options.consensus) }),
        ...(options.channels === undefined ? {} : { channels: options.channels.split(',') }),
        progress: done,
        signal: interrupted.signal,
      });
      done(`ready after ${((Date.now() - begun) / 1000).toFixed(1)} s: a submit succeeds at every member`);
      for (const { name, kind, mspId, gateway } of network.organisations) {
        say(`    ${name.padEnd(12)} ${kind.padEnd(10)} ${mspId.padEnd(14)} ${gateway.endpoint}`);
      }
      say(`  described in ${shown(`${options.dir}/network.json`)}; end it with: healthchain fabric down`);
    });

  fabric
    .command('down')
    .description('end every process of the network; its folder stays')
    .option('--dir <folder>', 'folder of the network', DIR)
    .option('--remove', 'remove the folder with all ledgers, too')
    .action(async (options: { dir: string; remove?: true }) => {
      const ended = await downNetwork(options.dir, { remove: options.remove ?? false });
      done(`${ended} processes ended${options.remove === true ? `, ${shown(options.dir)} removed` : ''}`);
    });

  fabric
    .command('status')
    .description('which processes run, and what every member’s gateway answers')
    .option('--dir <folder>', 'folder of the network', DIR)
    .action(async (options: { dir: string }) => {
      const status = await networkStatus(options.dir);
      if (status === undefined) {
        throw new Misuse('BAD_CONFIG', `no network is in ${shown(options.dir)}`, {
          hint: 'Make one: healthchain fabric up.',
        });
      }
      print(`Hyperledger Fabric ${status.fabricVersion}, ${shown(status.folder)}`);
      for (const { name, pid, running } of status.processes) {
        print(`  ${running ? 'running' : 'ended  '}  ${name.padEnd(22)} ${pid}`);
      }
      let silent = 0;
      for (const { name, genesis, consortium } of status.channels) {
        print(`  channel ${name}, first block ${genesis.slice(0, 16)}…`);
        for (const [organisation, answer] of consortium) {
          if (answer === undefined) silent += 1;
          print(`    ${organisation.padEnd(12)} ${words(answer)}`);
        }
      }
      if (silent > 0 || status.processes.some(({ running }) => !running)) process.exitCode = 1;
    });
}

const words = (answer: string | undefined): string =>
  answer === undefined ? 'does not answer' : answer === '' ? 'answers; no consortium founded yet' : `answers ${answer}`;

const shown = (path: string): string => relative(process.cwd(), resolve(path)) || '.';

function count(what: string, text: string): number {
  if (/^[1-9][0-9]{0,2}$/.test(text)) return Number(text);
  throw new Misuse('BAD_CONFIG', `--${what} ${text}: expected a number`);
}

function consensus(text: string): 'raft' | 'bft' {
  if (text === 'raft' || text === 'bft') return text;
  throw new Misuse('BAD_CONFIG', `--consensus ${text}: expected raft or bft`);
}
