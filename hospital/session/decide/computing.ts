import { BooleanSession } from '../../../mpc/boolean/engine.ts';
import type { Stock, StockDemand } from '../../../mpc/boolean/stock.ts';
import type { AgreedInput } from '../../../mpc/sum/party.ts';
import type { RandomSource } from '../../../mpc/transport.ts';

/** What deciding needs of the session it runs in. */
export interface DecisionContext {
  readonly random: RandomSource;
  /** Random authenticated material, made with the session's other parties or taken from what was made before. */
  readonly stock: (demand: StockDemand) => Promise<Stock>;
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
  async run<T>(
    name: string,
    { stock }: { readonly stock: StockDemand },
    compute: (session: BooleanSession) => Promise<T>,
  ): Promise<T> {
    const material = await this.#context.stock(stock);
    const session = new BooleanSession(this.channel, material, this.random, this.named(name));
    this.#context.beforeOpening();
    return compute(session);
  }
}
