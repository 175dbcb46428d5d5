import type { Command } from 'commander';
import { beginGenerators } from '../../mpc/kernels/ahead.ts';
import { keyFingerprint } from '../../protocol/identity.ts';
import { verifyAnswer } from '../../researcher/result/verify.ts';
import { readText } from '../files.ts';
import { done, say } from '../output.ts';

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('check an answer offline against its receipt and an export of the ledger')
    .argument('<receipt>', 'receipt.json')
    .requiredOption('--ledger <file>', 'ledger export')
    .option('--result <file>', 'result.json: every number in it is recomputed')
    .action(async (receiptPath: string, options: { ledger: string; result?: string }) => {
      const receipt = readText(receiptPath, 'receipt');
      // The ledger is checked while another thread derives generators, where there are many.
      beginGenerators(countCells(receipt));
      const report = await verifyAnswer({
        receipt,
        ledger: readText(options.ledger, 'ledger export'),
        result: options.result === undefined ? undefined : readText(options.result, 'result'),
      });
      done(
        'operatorKey' in report.anchor
          ? 'ledger: every entry, signature and rule of the contract holds, and the operator signed its root'
          : 'ledger: every block, its orderers, creators and endorsers, and every rule of the contract holds',
      );
      done(
        `authorization: all ${report.hospitals.length} hospitals of the session approved this query (${report.hospitals.join(', ')})`,
      );
      if (report.consent !== undefined)
        done(
          `consent: every hospital recorded that its cohort follows the epoch ${report.consent.epoch} (${report.consent.basis})`,
        );
      done('record: these sums are the ones whose digest the researcher recorded on the ledger');
      if (report.decided)
        done(`decision: every hospital signed which sums may open: ${report.opened} of ${report.cells}`);
      if (report.searched > 0)
        done(`answers: every hospital signed the ${report.searched} numbers that were found together on shares`);
      done(`commitments: the ${report.opened} opened sums are exactly the sums of what these hospitals committed to`);
      if (report.resultChecked)
        done(
          `result: every shown number of all ${report.groups} groups follows from those sums${report.searched === 0 ? '' : ' and answers'}`,
        );
      else say('- result: not given (--result), so no shown number was checked');
      if (report.decided) say('Attested, not proved: that the withheld sums are those that fail the release rule.');
      if (report.searched > 0)
        say(
          'Attested, not proved: quantiles, extremes and distinct counts. They rest on the hospitals’ signatures, not on the commitments.',
        );
      if (report.consent !== undefined)
        say('Attested, not proved: that each hospital left out the patients without consent. It knows them alone.');
      say(
        'Not proved: that the hospitals’ records are true; that this ledger is the consortium’s. Compare with what you know:',
      );
      say(`  consortium    ${report.consortium}`);
      const { anchor } = report;
      if ('operatorKey' in anchor) say(`  operator key  ${keyFingerprint(anchor.operatorKey)}   (fingerprint)`);
      else {
        say(`  channel       ${anchor.channel}`);
        say(`  first block   ${anchor.genesis}`);
      }
    });
}

/** About how many sums a receipt holds that nobody has checked yet: its quoted integers. */
const countCells = (receipt: string): number => receipt.match(/"-?[0-9]{1,37}"/g)?.length ?? 0;
