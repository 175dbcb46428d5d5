import type { Cost } from '../../../mpc/boolean/cost.ts';
import type { Evaluator } from '../../../mpc/boolean/evaluator.ts';
import type { Seat, StockSource } from '../../../mpc/committee/seat.ts';
import type { AgreedInput } from '../../../mpc/sum/party.ts';
import type { RandomSource } from '../../../mpc/transport.ts';

/** What deciding needs of the session it runs in. */
export interface DecisionContext {
  readonly random: RandomSource;
  /** Where this hospital computes on shares; the same in all steps. */
  readonly seat: () => Promise<Seat>;
  /** Random authenticated material, made with those who compute or taken from what was made before. */
  readonly stock: StockSource;
  /** Called before anything that depends on the data is opened, even a single bit. */
  readonly beforeOpening: () => void;
}

/** Computing on shares within one step, one computation after another, in the same order at all hospitals. */
export class Computing {
  readonly #context: DecisionContext;
  readonly #agreed: AgreedInput;

  constructor(context: DecisionContext, agreed: AgreedInput) {
    this.#context = context;
    this.#agreed = agreed;
  }

  get roster(): readonly string[] {
    return this.#agreed.transcript.roster;
  }

  get channel(): AgreedInput['channel'] {
    return this.#agreed.channel;
  }

  get random(): RandomSource {
    return this.#context.random;
  }

  /** A name that no other step uses. */
  named(name: string): string {
    return `${name}/${this.#agreed.transcript.step}`;
  }

  /** Runs one computation on material of its own. Each has another name. */
  async run<T>(name: string, cost: Cost, compute: (evaluator: Evaluator) => Promise<T>): Promise<T> {
    const seat = await this.#context.seat();
    const evaluator = await seat.evaluator(this.named(name), cost, this.#context.stock);
    try {
      this.#context.beforeOpening();
      return await compute(evaluator);
    } finally {
      evaluator.end();
    }
  }
}
