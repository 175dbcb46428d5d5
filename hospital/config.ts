import { existsSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ledgerAddress, resolveAddress } from '../ledger/address.ts';
import { decodeDocument } from '../protocol/canonical.ts';
import { Misuse } from '../protocol/errors.ts';
import { handWritten } from '../protocol/hand-written.ts';
import { Identity } from '../protocol/identity.ts';
import { datasetName, organisationId } from '../protocol/names.ts';
import { precompute } from './precompute.ts';
import { sourceConfig } from './source/config.ts';
import { sitePolicy, type SitePolicy } from './policy.ts';

/** The configuration file of a hospital node. Paths are relative to the file. */
export const hospitalConfig = z.strictObject({
  organisation: organisationId,
  /** PKCS #8 PEM of the Ed25519 identity key. */
  keyFile: z.string().min(1),
  /** Journal, sealed shares, ledger checkpoint: back it up, keep it private. */
  stateFolder: z.string().min(1),
  ledger: ledgerAddress,
  /** Where patients' statements are, in a consortium with a ledger of its own for them. */
  publicLedger: ledgerAddress.optional(),
  coordinator: z.strictObject({ url: z.url() }),
  /** Logical dataset to where its rows are. */
  datasets: z.record(datasetName, sourceConfig),
  /** Without it every query is denied. */
  policyFile: z.string().min(1).optional(),
  proxy: z.url().optional(),
  caFile: z.string().min(1).optional(),
  logLevel: z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info'),
  /** Seconds a session may take before this hospital gives it up. */
  sessionSeconds: z.int().min(1).max(86_400).default(900),
  precompute: precompute.prefault({}),
});
export type HospitalConfig = z.infer<typeof hospitalConfig>;

/** Reads a configuration file; relative paths in it become absolute. Errors: `Misuse BAD_CONFIG`, `Misuse BAD_FILE`. */
export function readHospitalConfig(path: string): HospitalConfig {
  const config = readDocument(hospitalConfig, path, 'configuration');
  const base = dirname(resolve(path));
  const at = (file: string): string => resolve(base, file);
  return {
    ...config,
    keyFile: at(config.keyFile),
    stateFolder: at(config.stateFolder),
    ledger: resolveAddress(config.ledger, at),
    ...(config.publicLedger === undefined ? {} : { publicLedger: resolveAddress(config.publicLedger, at) }),
    ...(config.policyFile === undefined ? {} : { policyFile: at(config.policyFile) }),
    ...(config.caFile === undefined ? {} : { caFile: at(config.caFile) }),
    datasets: Object.fromEntries(
      Object.entries(config.datasets).map(([name, source]) => [
        name,
        {
          ...source,
          files: source.files.map(at),
          ...(source.consent === undefined ? {} : { consent: { ...source.consent, keys: at(source.consent.keys) } }),
        },
      ]),
    ),
  };
}

export const readIdentity = (path: string): Identity => Identity.fromPem(readText(path, 'key'));

/** The site policy; undefined (everything denied) only where none is configured. */
export function readPolicy(path: string | undefined): SitePolicy | undefined {
  if (path === undefined) return undefined;
  return readDocument(sitePolicy, path, 'site policy');
}

function readDocument<T>(type: z.ZodType<T>, path: string, what: string): T {
  const text = handWritten(readText(path, what), path, 'BAD_CONFIG');
  return decodeDocument(type, text, { what: path, code: 'BAD_CONFIG', own: true });
}

function readText(path: string, what: string): string {
  if (!existsSync(path))
    throw new Misuse('BAD_FILE', `the ${what} file ${path} does not exist`, {
      hint: 'Check the path; healthchain doctor checks a whole configuration.',
    });
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Misuse('BAD_FILE', `the ${what} file ${path} cannot be read`, { hint: 'Check its permissions.', cause });
  }
}
