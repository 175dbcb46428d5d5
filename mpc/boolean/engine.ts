import { inspect } from 'node:util';
import { Misuse } from '../../protocol/errors.ts';
import type { RandomSource, Transport } from '../transport.ts';
import type { AuthenticatedBits } from './bits.ts';
import type { Evaluator } from './evaluator.ts';
import type { Circuit, InputWire } from './circuit.ts';
import { Gates } from './gates.ts';
import { Openings } from './openings.ts';
import type { Stock } from './stock.ts';
import { xorBytes, xorShares } from './tags.ts';
import { lastUses } from './wire-memory.ts';

// Only this module makes and opens the two classes: what they stand for cannot be claimed from outside.
let shareAs: (session: BooleanSession, shares: AuthenticatedBits) => SharedBits;
let sharesOf: (session: BooleanSession, shared: SharedBits) => AuthenticatedBits;
let passAs: (session: BooleanSession, shared: readonly SharedBits[]) => CheckedBits;
let outputsOf: (session: BooleanSession, checked: CheckedBits) => readonly AuthenticatedBits[];

/** Bits shared among the parties of one session: can be computed on, cannot be opened. */
export class SharedBits {
  readonly lanes: number;
  readonly #session: BooleanSession;
  readonly #shares: AuthenticatedBits;
  static {
    shareAs = (session, shares) => new SharedBits(session, shares);
    sharesOf = (session, shared) => {
      if (shared.#session !== session) throw foreign();
      return shared.#shares;
    };
  }
  private constructor(session: BooleanSession, shares: AuthenticatedBits) {
    this.lanes = shares.length;
    this.#session = session;
    this.#shares = shares;
  }
  toJSON(): string {
    return `SharedBits(${this.lanes}, redacted)`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

/** Shared bits all of whose history was checked: these can be opened. Made by `BooleanSession.check` alone. */
export class CheckedBits {
  readonly #session: BooleanSession;
  readonly #shares: readonly AuthenticatedBits[];
  static {
    passAs = (session, shared) => new CheckedBits(session, shared);
    outputsOf = (session, checked) => {
      if (checked.#session !== session) throw foreign();
      return checked.#shares;
    };
  }
  private constructor(session: BooleanSession, shared: readonly SharedBits[]) {
    this.#session = session;
    this.#shares = shared.map((bits) => sharesOf(session, bits));
  }
  toJSON(): string {
    return `CheckedBits(${this.#shares.length}, redacted)`;
  }
  [inspect.custom](): string {
    return this.toJSON();
  }
}

const foreign = (): Misuse => new Misuse('OUT_OF_ORDER', 'these bits belong to another session');

/**
 * One party's side of computing on shared bits, with malicious security against all parties but one (docs/boolean.md):
 * circuits are evaluated on authenticated shares with triples from the stock (Goldreich, Micali, Wigderson, STOC 1987;
 * Beaver, CRYPTO 1991; Nielsen, Nordholt, Orlandi, Burra, CRYPTO 2012), and nothing is opened before the MAC check passed.
 *
 *     const shared = await session.evaluate(circuit, own);     // SharedBits
 *     const checked = await session.check(shared);             // CheckedBits
 *     const bits = await session.openToAll(checked);           // public
 *
 * Circuits may follow one another on the same session. After any error the session is over, and stock and key share of this
 * roster must be destroyed: an abort can reveal them. Two sessions over one transport need different names.
 */
export class BooleanSession implements Evaluator {
  readonly roster: readonly string[];
  readonly #openings: Openings;
  readonly #stock: Stock;
  readonly #gates: Gates;
  #state: 'ready' | 'busy' | 'over' = 'ready';

  constructor(transport: Transport, stock: Stock, random: RandomSource, name = 'boolean') {
    const key = Uint8Array.from(stock.keyShare);
    this.#openings = new Openings(transport, key, random, name);
    this.roster = this.#openings.broadcasts.roster;
    this.#stock = stock;
    this.#gates = new Gates({
      roster: this.roster,
      self: this.self,
      stock,
      key,
      check: this.#openings.check,
      broadcast: (message, lengthFrom) => this.#openings.broadcast(message, lengthFrom),
    });
  }

  get self(): string {
    return this.#openings.broadcasts.transport.self;
  }

  /** Rounds so far. */
  get rounds(): number {
    return this.#openings.broadcasts.rounds;
  }

  /**
   * Shares of the parties' inputs, in the order of `wires`; `own` holds this party's, packed. No wire may be `shared`.
   *
   * Cost: one round, and a bit for each lane of an own wire to each peer; a mask for each lane.
   */
  input(wires: readonly Pick<InputWire, 'owner' | 'lanes'>[], own: readonly Uint8Array[]): Promise<SharedBits[]> {
    return this.#step(async () => (await this.#gates.input(wires, own)).map((shares) => shareAs(this, shares)));
  }

  /** Random bits that nobody knows. No communication. */
  random(lanes: number): SharedBits {
    return shareAs(this, this.#stock.random(lanes));
  }

  /**
   * Shares of the circuit's outputs. `own`: this party's input wires in order, packed bits; `shared`: the wires whose owner
   * is `shared`. `Abort EQUIVOCATION` if another party evaluates another circuit.
   *
   * Cost: a round for the inputs (none if there are none) and one for each layer; an AND costs each party two bits and
   * a triple for each lane.
   */
  evaluate(circuit: Circuit, own: readonly Uint8Array[], shared: readonly SharedBits[] = []): Promise<SharedBits[]> {
    return this.#step(async () => {
      this.#openings.broadcasts.agreeOn(circuit.digest);
      const wires = await this.#inputWires(circuit, own, shared);
      const lastLayers = lastUses(circuit);
      for (const [i, layer] of circuit.layers.entries()) {
        for (const gate of layer.linear) wires[gate.out] = this.#gates.linear(gate, wires, circuit.lanes[gate.out]!);
        if (layer.ands.length > 0) await this.#gates.multiply(circuit, layer.ands, wires);
        for (const wire of lastLayers[i]!) this.#gates.release(wires[wire]!);
      }
      return circuit.outputs.map((wire) => shareAs(this, wires[wire]!));
    });
  }

  /**
   * Evaluates, checks, and opens to all.
   *
   * Cost: `computingCost`.
   */
  async compute(circuit: Circuit, own: readonly Uint8Array[]): Promise<Uint8Array[]> {
    return this.openToAll(await this.check(await this.evaluate(circuit, own)));
  }

  /**
   * A fingerprint of each of these bits, known to all parties and checked, and the key of them all: a joint coin that was
   * tossed after the bits were shared. The last 128 lanes must be random, known to nobody but whoever entered them, and used
   * for nothing else: they keep the others secret. Afterwards all that was opened on this session is checked.
   *
   * Cost: `fingerprintCost`. Errors: see `MacCheck.run`.
   */
  openFingerprints(shared: readonly SharedBits[]): Promise<{ key: Uint8Array; fingerprints: Uint8Array[] }> {
    return this.#step(() => this.#openings.openFingerprints(shared.map((each) => sharesOf(this, each))));
  }

  /**
   * Checks all that was opened so far in computing anything on this session, and allows these bits to be opened.
   *
   * Cost and errors: see `MacCheck.run`.
   */
  check(shared: readonly SharedBits[]): Promise<CheckedBits> {
    return this.#step(async () => {
      await this.#openings.check.run();
      return passAs(this, shared);
    });
  }

  /**
   * The values, packed, known to all parties. They are checked before they are returned: `Abort MAC_CHECK` otherwise.
   *
   * Cost: four rounds, a bit for each lane and the check. Leaks: these values, and if the check fails they may be known
   * to a cheat and to nobody else.
   */
  openToAll(checked: CheckedBits): Promise<Uint8Array[]> {
    return this.#step(() => this.#openings.open(outputsOf(this, checked)));
  }

  /**
   * The values, packed, at `party`; undefined at all others, who learn nothing.
   *
   * Cost: as `openToAll`, and a mask of that party for each lane.
   */
  openTo(party: string, checked: CheckedBits): Promise<Uint8Array[] | undefined> {
    return this.#step(async () => {
      const shares = outputsOf(this, checked);
      const masks = shares.map(({ length }) => this.#stock.masks(party, length));
      const known = masks.map(({ bits }) => Uint8Array.from(bits));
      shares.forEach((share, i) => xorShares(masks[i]!, masks[i]!, share));
      const opened = await this.#openings.open(masks);
      if (party !== this.self) return undefined;
      opened.forEach((bits, i) => xorBytes(bits, bits, known[i]!));
      return opened;
    });
  }

  /** No step may be under way. */
  end(): void {
    if (this.#state === 'busy') throw new Misuse('OUT_OF_ORDER', 'a step of this session is still under way');
    this.#state = 'over';
    this.#gates.end();
    this.#stock.discard();
  }

  toJSON(): string {
    return `BooleanSession(${this.self} in ${this.#openings.broadcasts.transport.session.slice(0, 8)})`;
  }

  [inspect.custom](): string {
    return this.toJSON();
  }

  /** One step at a time, and none after an error. */
  async #step<T>(step: () => Promise<T>): Promise<T> {
    if (this.#state === 'busy') throw new Misuse('OUT_OF_ORDER', 'another step of this session is still under way');
    if (this.#state === 'over')
      throw new Misuse('OUT_OF_ORDER', 'this session is over: it was ended, or ended in an error');
    this.#state = 'busy';
    try {
      const result = await step();
      this.#state = 'ready';
      return result;
    } catch (error) {
      this.#state = 'over';
      throw error;
    }
  }

  async #inputWires(
    circuit: Circuit,
    own: readonly Uint8Array[],
    shared: readonly SharedBits[],
  ): Promise<(AuthenticatedBits | undefined)[]> {
    const wires: (AuthenticatedBits | undefined)[] = [];
    const given = circuit.inputs.filter(({ owner }) => owner === 'shared');
    if (given.length !== shared.length || given.some(({ lanes }, i) => lanes !== shared[i]!.lanes)) {
      throw new Misuse('MALFORMED', 'shared inputs do not fit the circuit');
    }
    given.forEach(({ wire }, i) => (wires[wire] = sharesOf(this, shared[i]!)));
    const entered = circuit.inputs.filter(({ owner }) => owner !== 'shared');
    if (entered.length > 0) {
      const shares = await this.#gates.input(entered, own);
      entered.forEach(({ wire }, i) => (wires[wire] = shares[i]!));
    }
    return wires;
  }
}
