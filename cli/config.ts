import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { ledgerAddress } from '../ledger/address.ts';
import type { Member } from '../ledger/ledger.ts';
import { Identity } from '../protocol/identity.ts';
import { organisation, role, tier } from '../protocol/ledger.ts';
import { mspId, organisationId, publicKey } from '../protocol/names.ts';
import { readDocument, readText } from './files.ts';

const port = z.int().min(0).max(65_535);
const tls = z.strictObject({ keyFile: z.string().min(1), certFile: z.string().min(1) });
const logLevel = z.enum(['silent', 'error', 'warn', 'info', 'debug']).default('info');

const member = {
  organisation: organisationId,
  keyFile: z.string().min(1),
  stateFolder: z.string().min(1),
  ledger: ledgerAddress,
  /** Where patients' statements and published results are, in a consortium with a ledger of its own for them. */
  publicLedger: ledgerAddress.optional(),
  proxy: z.url().optional(),
  caFile: z.string().min(1).optional(),
};

export const ledgerConfig = z.strictObject({
  folder: z.string().min(1),
  host: z.string().default('127.0.0.1'),
  port,
  tls: tls.optional(),
  /** The founding document that `healthchain ledger found` wrote; needed at the first start only. */
  foundingFile: z.string().min(1).optional(),
  logLevel,
});
export type LedgerConfig = z.infer<typeof ledgerConfig>;

export const coordinatorConfig = z.strictObject({
  ...member,
  host: z.string().default('127.0.0.1'),
  port,
  tls: tls.optional(),
  publicUrl: z.url().optional(),
  /** Seconds. */
  deadlines: z
    .strictObject({
      approval: z.number().positive().optional(),
      join: z.number().positive().optional(),
      dropOut: z.number().positive().optional(),
      session: z.number().positive().optional(),
    })
    .optional(),
  logLevel,
});
export type CoordinatorFileConfig = z.infer<typeof coordinatorConfig>;

/** A researcher, or an admin or auditor who only speaks to the ledger. */
export const researcherConfig = z.strictObject({ ...member, coordinator: z.strictObject({ url: z.url() }).optional() });
export type ResearcherConfig = z.infer<typeof researcherConfig>;

/** Any member's configuration, read for who it is and where the ledger is; what only its role needs is left aside. */
export const memberConfig = z.object(member);
export type MemberFileConfig = z.infer<typeof memberConfig>;

/** Who founds the consortium: name and first members, one of them the admin whose key signs. */
export const membersFile = z.strictObject({
  name: z.string().min(1).max(200),
  organisations: z.array(organisation).min(1),
  /** What the ledger is for, in a consortium with one for each tier; without it for everything. */
  tier: tier.optional(),
});

/** One member to register later. */
export const memberFile = z.strictObject({
  id: organisationId,
  name: z.string().min(1).max(200),
  roles: z.array(role).min(1),
  publicKey,
  msp: mspId.optional(),
});

/** Reads a role's configuration; file paths in it count from its folder. Errors: `Misuse BAD_CONFIG`, `Misuse BAD_FILE`. */
export function readConfig<T extends object>(type: z.ZodType<T>, path: string): T {
  const config = readDocument(type, path, 'configuration', 'BAD_CONFIG');
  return absolutePaths(config, dirname(resolve(path))) as T;
}

const PATHS = new Set([
  'keyFile',
  'caFile',
  'certFile',
  'stateFolder',
  'folder',
  'foundingFile',
  'tlsRootFile',
  'walletFolder',
]);

function absolutePaths(value: unknown, base: string, key = ''): unknown {
  if (typeof value === 'string') return PATHS.has(key) ? resolve(base, value) : value;
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, absolutePaths(each, base, name)]));
}

export const readMember = (config: { organisation: string; keyFile: string }): Member => ({
  organisation: config.organisation,
  identity: Identity.fromPem(readText(config.keyFile, 'identity key')),
});

export const readTls = (config: z.infer<typeof tls> | undefined): { key: string; cert: string } | undefined =>
  config === undefined
    ? undefined
    : { key: readText(config.keyFile, 'TLS key'), cert: readText(config.certFile, 'TLS certificate') };
