import type { Circuit } from './circuit.ts';

/**
 * Where the hospitals of a session compute together on what each of them enters: all with each other (`BooleanSession`), or
 * a committee for all (`mpc/committee`). What is computed does not depend on which.
 */
export interface Evaluator {
  /** All hospitals that enter something: a circuit's owners are places in it. */
  readonly roster: readonly string[];
  readonly self: string;
  /**
   * The circuit's outputs, packed, known to all hospitals and checked. `own`: this hospital's input wires in order.
   *
   * Errors: those of `BooleanSession`, and in a committee `Abort INPUT_FORGED`.
   */
  compute(circuit: Circuit, own: readonly Uint8Array[]): Promise<Uint8Array[]>;

  /**
   * Nothing is computed here any more, whether it went well or not: the memory of stock and wires is given back, many megabytes that
   * would else lie about until the garbage collector marks the whole heap, in the middle of the next computation.
   */
  end(): void;
}
