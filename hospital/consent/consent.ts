import { consentsAt, effectiveEpoch, monthOf, overtaking, type ConsentDecision } from '../../ledger/consent.ts';
import type { LedgerView } from '../../ledger/ledger.ts';
import { Refusal } from '../../protocol/errors.ts';
import type { QueryRecord } from '../../protocol/records.ts';
import { consentRuleOf, schemaReference, type DatasetSchema } from '../../protocol/schema.ts';

/** What decides on the rows of a query whose dataset rests on consent. */
export interface ConsentBasis {
  readonly basis: 'opt-in' | 'opt-out';
  readonly purpose: string;
  readonly epoch: string;
  /** Of every patient's key that decided on such a use by then. */
  readonly decisions: () => ReadonlyMap<string, NonNullable<ConsentDecision>>;
}

/** Why a query that rests on consent cannot be answered here; `wait` where the ledger may yet bring what lacks. */
export interface Obstacle {
  readonly decision: 'deny' | 'wait';
  readonly reason: string;
}

export interface ConsentOptions {
  /** Where queries are. */
  readonly ledger: Pick<LedgerView, 'schema' | 'schemas'>;
  /** Where patients’ statements and epochs are: the public ledger where there is one. */
  readonly statements: Pick<LedgerView, 'patients' | 'consentEpochs'>;
  readonly hospital: string;
  /** Whether this hospital knows which keys the patients of a dataset have. */
  readonly mapped: (dataset: string) => boolean;
  readonly now: () => Date;
}

/** A node's own reading of patients' consent: nobody tells it who consented or which epoch holds. */
export class SiteConsent {
  readonly #options: ConsentOptions;

  constructor(options: ConsentOptions) {
    this.#options = options;
  }

  /**
   * What stands against answering a query: the node cannot tell which patient a row is of, the dataset's rule changed, or
   * the epoch that the query names is not the one in effect by this node's view and clock.
   */
  obstacle(record: QueryRecord): Obstacle | undefined {
    const { ledger, statements, mapped, now } = this.#options;
    const schema = ledger.schema(record.query.dataset);
    if (schema === undefined) return deny(`dataset ${record.query.dataset} is not registered`);
    if (ruleText(schema) !== ruleText(ledger.schemas(schema.dataset).at(-1) ?? schema)) {
      return deny(`the rule of ${schema.dataset} changed after ${schemaReference(schema)}; ask the newest version`);
    }
    const { basis } = consentRuleOf(schema);
    if (basis === 'none') return undefined;
    if (!mapped(schema.dataset)) {
      return deny(`the dataset is ${basis}, and this hospital has not mapped its patients to their keys`);
    }
    const named = record.consentEpoch;
    if (named === undefined) return deny(`the dataset is ${basis}, and the query names no epoch`);
    const [epochs, month] = [statements.consentEpochs(), monthOf(now())];
    if (named > month) return deny(`the epoch ${named} lies ahead of this hospital's clock`);
    if (epochs.some(({ period, withdrawn }) => period === named && withdrawn !== undefined)) {
      return deny(`the epoch ${named} was withdrawn; submit the query again`);
    }
    const effective = effectiveEpoch(epochs, schema);
    if (effective === named) {
      const later = overtaking(epochs, schema, { epoch: named, month });
      if (later === undefined) return undefined;
      return deny(
        `the epoch ${named} is over, since ${later} was open; that was withdrawn, so a later one must be opened`,
      );
    }
    if (effective !== undefined && named < effective) {
      return deny(`the epoch ${named} is over, ${effective} is in effect; submit the query again`);
    }
    return {
      decision: 'wait',
      reason: `consent: the epoch ${named} is not open on the ledger that this hospital reads`,
    };
  }

  /** The basis of a query's rows, none where its dataset asks for no consent. Errors: `Refusal POLICY` for an obstacle. */
  require(record: QueryRecord): ConsentBasis | undefined {
    const obstacle = this.obstacle(record);
    if (obstacle !== undefined) throw new Refusal('POLICY', obstacle.reason, { party: this.#options.hospital });
    const schema = this.#options.ledger.schema(record.query.dataset)!;
    const { basis } = consentRuleOf(schema);
    if (basis === 'none') return undefined;
    const { statements, hospital } = this.#options;
    const { purpose } = record.query;
    const epoch = record.consentEpoch!;
    const use = { dataset: schema.dataset, purpose, hospital, epoch };
    return { basis, purpose, epoch, decisions: () => consentsAt(statements.patients(), use) };
  }
}

const deny = (reason: string): Obstacle => ({ decision: 'deny', reason: `consent: ${reason}` });

function ruleText(schema: DatasetSchema): string {
  const { basis, everyMonths } = consentRuleOf(schema);
  return basis === 'none' ? basis : `${basis}/${everyMonths}`;
}
