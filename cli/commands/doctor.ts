import { statSync } from 'node:fs';
import type { Command } from 'commander';
import { z } from 'zod';
import { readHospitalConfig, readPolicy } from '../../hospital/config.ts';
import { inspectPool } from '../../hospital/pool/inspect.ts';
import { PatientKeys } from '../../hospital/consent/index.ts';
import {
  checkMapping,
  Cohort,
  openSource,
  renderMappingReport,
  type MappingReport,
  type Source,
} from '../../hospital/source/index.ts';
import type { LedgerAddress } from '../../ledger/address.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { HealthchainError } from '../../protocol/errors.ts';
import { consentRuleOf } from '../../protocol/schema.ts';
import { coordinatorConfig, ledgerConfig, readConfig, readMember, researcherConfig } from '../config.ts';
import { readDocument } from '../files.ts';
import { useNetwork, type NetworkSettings } from '../network.ts';
import { done, print, say, warn } from '../output.ts';
import { describeStock } from '../stock.ts';
import { Unwell, type Checkup } from './checkup.ts';
import { examineLedger } from './doctor-ledger.ts';

interface MemberConfig extends NetworkSettings {
  readonly organisation: string;
  readonly keyFile: string;
  readonly stateFolder: string;
  readonly ledger: LedgerAddress;
}

export function addDoctorCommand(program: Command): void {
  program
    .command('doctor')
    .description('check a configuration: key, clock, ledger, coordinator, data mapping, policy; says what to do')
    .requiredOption('--config <file>', 'any role’s configuration')
    .action(async (options: { config: string }) => {
      let failures = 0;
      const checkup: Checkup = async (name, run) => {
        try {
          done(`${name}: ${await run()}`);
        } catch (error) {
          failures++;
          const known = error instanceof HealthchainError ? error : undefined;
          warn(`${name}: ${known?.message ?? 'unexpected failure'}`);
          if (known?.hint !== undefined) say(`    ${known.hint}`);
        }
      };
      await examine(options.config, checkup);
      if (failures > 0) {
        say(`${failures} of these need attention.`);
        process.exitCode = 1;
      }
    });
}

async function examine(path: string, checkup: Checkup): Promise<void> {
  const document = readDocument(z.looseObject({}), path, 'configuration', 'BAD_CONFIG');
  if ('datasets' in document) return examineHospital(path, checkup);
  if ('folder' in document) {
    await checkup('configuration', () => `ledger in ${readConfig(ledgerConfig, path).folder}`);
    return;
  }
  const config = 'port' in document ? readConfig(coordinatorConfig, path) : readConfig(researcherConfig, path);
  const ledger = await examineMember(config, 'port' in document ? 'coordinator' : undefined, checkup);
  if ('coordinator' in config && config.coordinator !== undefined)
    await examineCoordinator(config.coordinator.url, checkup);
  // An open ledger follows its stream and would keep the command from ending.
  await ledger?.close();
}

async function examineHospital(path: string, checkup: Checkup): Promise<void> {
  const config = readHospitalConfig(path);
  const ledger = await examineMember(config, 'hospital', checkup);
  await examineCoordinator(config.coordinator.url, checkup);
  await checkup('policy', () => {
    const policy = readPolicy(config.policyFile);
    if (policy === undefined)
      throw new Unwell('no policyFile: every query is denied', 'Write a site policy; docs/deploy.md has an example.');
    return `${policy.approval === 'auto' ? 'decides by itself' : 'a person decides'}, at least ${policy.release.minimumHospitals} hospitals`;
  });
  await checkup('stock', () => {
    const stock = inspectPool(config.stateFolder);
    if (config.precompute.triples === 0) return 'nothing is made ahead (precompute.triples is 0)';
    if (stock.length === 0) return 'nothing made ahead yet; it begins after the first query that is decided on shares';
    return stock.map((status) => describeStock(status, config.precompute.triples)).join('; ');
  });
  for (const [name, source] of Object.entries(config.datasets)) {
    await checkup(`data ${name}`, async () => {
      const schema = ledger?.schemas(name).at(-1);
      if (schema === undefined)
        throw new Unwell('its schema is not on the ledger', 'Register it: healthchain ledger register-schema.');
      const opened = await openSource(source, schema);
      try {
        const report = await checkMapping(opened, schema);
        print(renderMappingReport(report));
        if (!report.fits)
          throw new Unwell(
            'does not fit the registered schema',
            [
              'Mend the mapping or the data. Where each column fails first:',
              ...(await firstMisfits(opened, report)),
            ].join('\n    '),
          );
        const { basis } = consentRuleOf(schema);
        const consent = source.consent === undefined ? undefined : await describeConsent(opened, source.consent.keys);
        if (basis !== 'none' && consent === undefined)
          throw new Unwell(
            `the dataset is ${basis}, and the configuration does not say whose rows are whose`,
            `Add consent.patient and consent.keys to datasets.${name}; without them its queries are denied.`,
          );
        return `fits ${schema.dataset}@${schema.version}${consent === undefined ? '' : `; ${consent}`}`;
      } finally {
        await opened.close();
      }
    });
  }
  await ledger?.close();
}

/** Of columns that do not fit, as many are looked at again. */
const MOST_COLUMNS = 20;

/** Where each column that does not fit fails first: file, data row and rule, never a value. */
async function firstMisfits(source: Source, { columns }: MappingReport): Promise<string[]> {
  const misfits = columns.filter(({ fits }) => !fits);
  const lines: string[] = [];
  for (const { column } of misfits.slice(0, MOST_COLUMNS)) {
    const found = await source.verifyColumns([column]).catch((error: unknown) => error);
    if (!(found instanceof HealthchainError)) throw found;
    lines.push(`${column}: ${found.message}`);
  }
  const more = misfits.length - lines.length;
  return more > 0 ? [...lines, `and ${more} more columns`] : lines;
}

/** How the file of keys and the records fit, in counts. */
async function describeConsent(source: Source, keysFile: string): Promise<string> {
  const keys = await PatientKeys.read(keysFile);
  const { rows, unnamed, patients, withKey } = await source.checkPatients(new Cohort('listed', keys.patients()));
  return `${keys.size} patients have keys, ${withKey} of them are among the ${patients} of the records; ${unnamed} of ${rows} rows name no patient`;
}

async function examineMember(
  config: MemberConfig,
  role: 'hospital' | 'coordinator' | undefined,
  checkup: Checkup,
): Promise<Ledger | undefined> {
  useNetwork(config);
  await checkup('key', () => {
    readMember(config);
    if ((statSync(config.keyFile).mode & 0o077) !== 0)
      throw new Unwell(`${config.keyFile} can be read by others`, `chmod 600 ${config.keyFile}`);
    return config.keyFile;
  });
  const ledger = await examineLedger(config, checkup);
  await checkup('membership', () => {
    if (ledger === undefined) throw new Unwell('not checked, since the ledger does not answer', 'See the line before.');
    const record = ledger.organisation(config.organisation);
    if (record === undefined)
      throw new Unwell(
        `${config.organisation} is not registered on the ledger`,
        'Ask an admin: healthchain ledger register.',
      );
    const key = readMember(config).identity.publicKey;
    if (!record.keys.some((each) => each.publicKey === key && each.status === 'active'))
      throw new Unwell(
        'the key in keyFile is not an active key of this member',
        'Use the registered key, or have this one registered.',
      );
    if (role !== undefined && !record.roles.includes(role))
      throw new Unwell(`${config.organisation} does not have the role ${role}`, 'Ask an admin.');
    return `${config.organisation}, ${record.roles.join(', ')}`;
  });
  return ledger;
}

const examineCoordinator = (url: string, checkup: Checkup): Promise<void> =>
  checkup('coordinator', async () => {
    const response = await fetch(new URL('/health', url)).catch(() => undefined);
    if (response === undefined)
      throw new Unwell(
        `${url} does not answer`,
        'Is it started, and does the firewall let this machine dial out to it?',
      );
    if (!response.ok)
      throw new Unwell(`${url} answers with status ${response.status}`, 'Its operator should look at its log.');
    return `${url} answers`;
  });
