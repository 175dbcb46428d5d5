import { Refusal } from '../../protocol/errors.ts';
import type { ActionOf } from '../../protocol/ledger.ts';
import { schemaReference } from '../../protocol/schema.ts';
import { changed, requireRole, type Call, type Outcome } from './call.ts';
import { loosenedRule, newestSchema } from './dataset-rules.ts';
import { KEY } from './keys.ts';
import { readRow, ROW, writeRow } from './rows.ts';

/**
 * Registers the next version of a dataset's schema; versions are never changed. By an admin or a hospital; one that
 * loosens the dataset's rules of consent or budget, or changes its credits, by an admin.
 * Errors: `NOT_AUTHORIZED`; `ALREADY_DONE` for a version that exists; `STALE` for one that leaves a gap.
 */
export async function registerSchema(call: Call<ActionOf<'registerSchema'>>): Promise<Outcome> {
  requireRole(call, 'admin', 'hospital');
  const { schema } = call.action;
  const newest = (await readRow(call.state, KEY.schemaHead(schema.dataset), ROW.schemaHead)) ?? 0;
  if (schema.version <= newest) {
    throw new Refusal('ALREADY_DONE', `${schemaReference(schema)} is registered already`, {
      hint: `Register a change as version ${newest + 1}.`,
    });
  }
  if (schema.version !== newest + 1) {
    throw new Refusal('STALE', `${schemaReference(schema)} leaves a gap`, {
      hint: `The next version of this dataset is ${newest + 1}.`,
    });
  }
  const before = await newestSchema(call.state, schema.dataset);
  const loosened = before && loosenedRule(before, schema);
  if (loosened !== undefined && !call.caller.roles.includes('admin')) {
    throw new Refusal('NOT_AUTHORIZED', `only an admin changes the dataset's rule of ${loosened} in this way`, {
      party: call.caller.id,
      hint: 'Keep the rule of the version before, or ask an admin to register the schema.',
    });
  }
  await writeRow(call.state, KEY.schema(schema.dataset, schema.version), ROW.schema, schema);
  await writeRow(call.state, KEY.schemaHead(schema.dataset), ROW.schemaHead, schema.version);
  return changed({ record: 'schema', id: schemaReference(schema) });
}
