import { z } from 'zod';
import { hexOf } from './bytes.ts';

/** Name of an organisation, dataset or hospital: lower case, safe in a path, a URL and a ledger key. */
export const organisationId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, 'expected a name of lower-case letters, digits, - and _ (at most 63)');
export const datasetName = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}$/, 'expected a dataset name of letters, digits, - and _');
export const columnName = z
  .string()
  .regex(
    /^[A-Za-z_][A-Za-z0-9_.-]{0,62}$/,
    'expected a column name of letters, digits, _, . and - that starts with a letter or _',
  );

/** Identifier of a membership service provider of a Hyperledger Fabric channel, in the letters that Fabric allows. */
export const mspId = z
  .string()
  .regex(/^[A-Za-z0-9][A-Za-z0-9.-]{0,99}$/, 'expected an MSP identifier of letters, digits, . and -');

/** `heart@3`: one version of one dataset. */
export const datasetReference = z
  .string()
  .regex(/^[A-Za-z][A-Za-z0-9_-]{0,62}@[1-9][0-9]{0,5}$/, 'expected dataset@version, as heart@1');

/** GA4GH Data Use Ontology code or a purpose the consortium agreed on: GRU, HMB, DS. */
export const purposeCode = z.string().regex(/^[A-Za-z][A-Za-z0-9:_-]{0,62}$/, 'expected a purpose code, as GRU');
/** A channel of Hyperledger Fabric, by Fabric's own rule. */
export const channelName = z
  .string()
  .max(249)
  .regex(/^[a-z][a-z0-9.-]*$/, 'a channel: lower-case letters, digits, . and -, a letter first');
export const chaincodeName = z
  .string()
  .max(64)
  .regex(/^[a-zA-Z0-9]+([-_][a-zA-Z0-9]+)*$/, 'a chaincode: letters and digits, - or _ between them');

export const digest = hexOf(32);
export const publicKey = hexOf(32);
export const signatureHex = hexOf(64);
export const point = hexOf(32);

/** 32-byte identifiers, as 64 hexadecimal digits. */
export const queryId = digest;
export const sessionId = digest;

export type OrganisationId = z.infer<typeof organisationId>;
export type QueryId = z.infer<typeof queryId>;
export type SessionId = z.infer<typeof sessionId>;
