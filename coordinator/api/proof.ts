import { Refusal } from '../../protocol/errors.ts';
import type { Role } from '../../protocol/ledger.ts';
import { checkProof, CLOCK_TOLERANCE, PROOF_HEADER, type RequestProof } from '../../protocol/request.ts';
import type { Ledger } from '../../ledger/ledger.ts';
import { hasActiveKey, type CatchUp } from '../ledger-view.ts';

/** Proofs that were used, for as long as their time stamp would let them pass. Only verified proofs get in. */
class UsedNonces {
  readonly #until = new Map<string, number>();

  /** False when it was used before. */
  use(proof: RequestProof, now: number): boolean {
    this.#forget(now);
    const key = `${proof.publicKey} ${proof.nonce}`;
    if (this.#until.has(key)) return false;
    this.#until.set(key, now + 2 * CLOCK_TOLERANCE * 1000);
    return true;
  }

  /** Insertion order is expiry order, up to a clock that was set: what is old stands first. */
  #forget(now: number): void {
    for (const [key, until] of this.#until) {
      if (until > now) return;
      this.#until.delete(key);
    }
  }
}

/** Lets signed requests of ledger members through, each once. */
export class Gate {
  readonly #ledger: Ledger;
  readonly #catchUp: CatchUp;
  readonly #clock: () => number;
  readonly #used = new UsedNonces();

  constructor(of: { ledger: Ledger; catchUp: CatchUp; clock: () => number }) {
    this.#ledger = of.ledger;
    this.#catchUp = of.catchUp;
    this.#clock = of.clock;
  }

  /**
   * Checks signature, time, nonce, key and role of a request; returns the caller's organisation. `Refusal BAD_SIGNATURE`,
   * `REPLAY`, `SUSPENDED`, `NOT_AUTHORIZED`.
   */
  async admit(
    request: {
      method: string;
      target: string;
      headers: Headers | { get(name: string): string | null };
      body: Uint8Array;
    },
    role: Role,
  ): Promise<string> {
    const now = this.#clock();
    const header = request.headers.get(PROOF_HEADER) ?? undefined;
    const proof = checkProof(header, request, now);
    if (!hasActiveKey(this.#ledger.organisation(proof.organisation), proof.publicKey)) await this.#catchUp.now();
    const record = this.#ledger.organisation(proof.organisation);
    if (!hasActiveKey(record, proof.publicKey)) {
      throw new Refusal('BAD_SIGNATURE', 'this key is not an active key of the organisation', {
        party: proof.organisation,
        hint: 'Compare the key in use with the one on the ledger.',
      });
    }
    if (record?.suspended !== undefined) {
      throw new Refusal('SUSPENDED', 'this organisation is suspended', {
        party: proof.organisation,
        hint: 'Its record on the ledger has the reason and the auditor to turn to.',
      });
    }
    if (record?.roles.includes(role) !== true) {
      throw new Refusal('NOT_AUTHORIZED', `only an organisation of role ${role} may do this`, {
        party: proof.organisation,
      });
    }
    if (!this.#used.use(proof, now)) {
      throw new Refusal('REPLAY', 'this signed request was made before', { hint: 'Sign every request anew.' });
    }
    return proof.organisation;
  }
}
