import type { Command } from 'commander';
import { beginGenerators } from '../../mpc/kernels/ahead.ts';
import { Misuse } from '../../protocol/errors.ts';
import { keyFingerprint } from '../../protocol/identity.ts';
import type { LedgerAnchor } from '../../protocol/ledger.ts';
import { verifyAnswer, type VerificationReport } from '../../researcher/result/verify.ts';
import { isEvidence, verifyEvidence, type EvidenceReport } from '../../researcher/result/verify-evidence.ts';
import { readText } from '../files.ts';
import { done, say } from '../output.ts';

export function addVerifyCommand(program: Command): void {
  program
    .command('verify')
    .description('check an answer, or evidence of a cheat, offline against an export of the ledger')
    .argument('<file>', 'receipt.json, or blame-evidence.json')
    .requiredOption('--ledger <file>', 'ledger export')
    .option('--result <file>', 'with a receipt, result.json: every number in it is recomputed')
    .action(async (path: string, options: { ledger: string; result?: string }) => {
      const file = readText(path, 'receipt or evidence');
      if (isEvidence(file)) {
        if (options.result !== undefined)
          throw new Misuse('BAD_CONFIG', `${path} is evidence of a cheat, and no result goes with it`, {
            hint: 'Leave --result out, or give the receipt of the result.',
          });
        return describeEvidence(await verifyEvidence({ evidence: file, ledger: readLedger(options.ledger) }));
      }
      // The ledger is checked while another thread derives generators, where there are many.
      beginGenerators(countCells(file));
      const result = options.result === undefined ? undefined : readText(options.result, 'result');
      describeAnswer(await verifyAnswer({ receipt: file, ledger: readLedger(options.ledger), result }));
    });
}

const readLedger = (path: string): string => readText(path, 'ledger export');

function describeAnswer(report: VerificationReport): void {
  describeLedger(report.anchor);
  done(
    `authorization: all ${report.hospitals.length} hospitals of the session approved this query (${report.hospitals.join(', ')})`,
  );
  if (report.consent !== undefined)
    done(
      `consent: every hospital recorded that its cohort follows the epoch ${report.consent.epoch} (${report.consent.basis})`,
    );
  done('record: these sums are the ones whose digest the researcher recorded on the ledger');
  if (report.decided) done(`decision: every hospital signed which sums may open: ${report.opened} of ${report.cells}`);
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
  describeTrust('that the hospitals’ records are true', report);
}

function describeEvidence(report: EvidenceReport): void {
  const { blamed, session, query, step, recordedBy, digest } = report;
  describeLedger(report.anchor);
  done(
    `session: ${blamed} took part in session ${session.slice(0, 12)} of query ${query.slice(0, 12)}, and all its hospitals committed to their numbers of step ${step}`,
  );
  done(`record: ${recordedBy} recorded this very evidence on the ledger, naming ${blamed} (${digest.slice(0, 12)})`);
  done(`proof: ${SHOWN[report.shown](blamed)}`);
  say(`Proved: ${blamed} broke the protocol in this session. Its own signatures say so, whoever shows them.`);
  describeTrust('that it meant to, for a defect looks the same; that nobody else broke the protocol too', report);
}

/** What each proof is, in words. */
const SHOWN: Readonly<Record<EvidenceReport['shown'], (party: string) => string>> = {
  SHARE_WRONG: (party) =>
    `the share that ${party} signed is not of the numbers that it committed to, under the masks that it signed`,
  MASK_FORGED: (party) => `${party} signed a mask that is not that of the seed it had agreed on`,
  SEED_HASHES_FORGED: (party) => `${party} signed other seeds than those it had agreed on`,
  TWO_SHARES: (party) => `${party} signed two different shares of one step, where the protocol has one`,
};

function describeLedger(anchor: LedgerAnchor): void {
  done(
    'operatorKey' in anchor
      ? 'ledger: every entry, signature and rule of the contract holds, and the operator signed its root'
      : 'ledger: every block, its orderers, creators and endorsers, and every rule of the contract holds',
  );
}

function describeTrust(
  unproved: string,
  { consortium, anchor }: Pick<VerificationReport, 'consortium' | 'anchor'>,
): void {
  say(`Not proved: ${unproved}; that this ledger is the consortium’s. Compare with what you know:`);
  say(`  consortium    ${consortium}`);
  if ('operatorKey' in anchor) say(`  operator key  ${keyFingerprint(anchor.operatorKey)}   (fingerprint)`);
  else {
    say(`  channel       ${anchor.channel}`);
    say(`  first block   ${anchor.genesis}`);
  }
}

/** About how many sums a receipt holds that nobody has checked yet: its quoted integers. */
const countCells = (receipt: string): number => receipt.match(/"-?[0-9]{1,37}"/g)?.length ?? 0;
