import { Refusal } from '../../protocol/errors.ts';
import { consentRuleOf, type DatasetSchema } from '../../protocol/schema.ts';
import { identify, sameFiles } from '../source/files.ts';
import { Cohort, type SourceConfig } from '../source/index.ts';
import type { ConsentBasis } from './consent.ts';
import { PatientKeys } from './patient-keys.ts';

/** Of one dataset; those that are over are few, and forgotten. */
const MOST_COHORTS = 8;

/**
 * The cohorts of one dataset's patients. What was decided as of an epoch never changes, so that a cohort serves all queries of
 * its purpose and epoch for as long as the file of keys stays the same.
 */
export class Cohorts {
  readonly #config: SourceConfig;
  readonly #known = new Map<string, Cohort>();
  #keys: Promise<PatientKeys> | undefined;

  constructor(config: SourceConfig) {
    this.#config = config;
  }

  /**
   * The cohort of a query, none where its dataset asks for no consent. Fails closed: without basis or mapping there are no
   * rows. Errors: `Refusal POLICY`; as `PatientKeys.read`.
   */
  async of(schema: DatasetSchema, consent: ConsentBasis | undefined): Promise<Cohort | undefined> {
    const { basis } = consentRuleOf(schema);
    if (basis === 'none') return undefined;
    const mapping = this.#config.consent;
    if (consent?.basis !== basis || mapping === undefined) {
      throw new Refusal(
        'POLICY',
        `consent: ${schema.dataset} is ${basis}, and this hospital cannot tell whose consent it has`,
        {
          hint: `Add consent.patient and consent.keys to datasets.${schema.dataset} in the node's configuration.`,
        },
      );
    }
    const keys = await this.#read(mapping.keys);
    const name = `${basis} ${consent.purpose} ${consent.epoch}`;
    const known = this.#known.get(name);
    if (known !== undefined) return known;
    const decisions = consent.decisions();
    const cohort =
      basis === 'opt-in'
        ? new Cohort('listed', keys.who(decisions, 'grant'))
        : new Cohort('others', keys.who(decisions, 'withdraw'));
    const oldest = this.#known.keys().next().value;
    if (this.#known.size >= MOST_COHORTS && oldest !== undefined) this.#known.delete(oldest);
    this.#known.set(name, cohort);
    return cohort;
  }

  async #read(path: string): Promise<PatientKeys> {
    const before = await this.#keys?.catch(() => undefined);
    if (before !== undefined && sameFiles([before.file], [await identify(path)])) return before;
    this.#known.clear();
    this.#keys = PatientKeys.read(path);
    return this.#keys;
  }
}
