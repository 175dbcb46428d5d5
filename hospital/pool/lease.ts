import type { RosterSetup } from '../../mpc/preprocessing/setup.ts';
import type { RosterStore } from './store.ts';

/** A session's sole use of its roster's store, from its first word about it to its end. */
export class Lease {
  readonly session: string;
  /** Undefined while another session has it, or where nothing is kept. */
  readonly store: RosterStore | undefined;
  /** A setup of this session alone, where the store is not used. */
  ownSetup: RosterSetup | undefined;
  #rounds = 0;
  #apart = false;

  constructor(session: string, store: RosterStore | undefined) {
    this.session = session;
    this.store = store;
  }

  /** Not all hospitals can use their stores in this session, so that nobody does. */
  get apart(): boolean {
    return this.#apart;
  }
  goApart(): void {
    this.#apart = true;
  }

  /** A name that no other agreement of this session has. */
  nextRound(): string {
    return `stock/${this.#rounds++}`;
  }

  /** True from the moment in which the store may have been used until the session has ended well. */
  get used(): boolean {
    return this.store?.inUse === this.session;
  }
}
