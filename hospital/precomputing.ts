import { mkdirSync } from 'node:fs';
import { Connection } from './connection/connection.ts';
import type { HospitalOptions } from './node.ts';
import { Pool, type RosterStatus } from './pool/pool.ts';
import type { Precompute } from './precompute.ts';
import { Preparing } from './preparing.ts';
import { platformRandom } from './random.ts';

type Options = Pick<
  HospitalOptions,
  'ledger' | 'member' | 'coordinatorUrl' | 'stateFolder' | 'log' | 'proxy' | 'caFile'
> & { readonly precompute: Precompute; readonly interval?: number };

/**
 * A hospital that does nothing but make stock, for as long as its node is not running. It begins preparations itself, whatever its
 * place in a roster. Errors: those of `Pool.open`: a running node has the pool, and makes stock by itself.
 */
export class Precomputing {
  readonly #pool: Pool;
  readonly #connection: Connection;
  readonly #preparing: Preparing;

  constructor(options: Options) {
    const { ledger, member, log } = options;
    mkdirSync(options.stateFolder, { recursive: true, mode: 0o700 });
    this.#pool = Pool.open({ stateFolder: options.stateFolder, log, random: platformRandom });
    this.#connection = new Connection({
      url: options.coordinatorUrl,
      organisation: member.organisation,
      identity: member.identity,
      consortium: ledger.consortium,
      ...{ log, proxy: options.proxy, caFile: options.caFile },
    });
    this.#preparing = new Preparing({
      ...{ ledger, member, pool: this.#pool, log, random: platformRandom, precompute: options.precompute },
      ...(options.interval === undefined ? {} : { interval: options.interval }),
      send: (frame) => this.#connection.send(frame),
      connected: () => this.#connection.connected,
      idle: () => true,
      begins: 'any',
    });
    this.#connection.on('close', () => this.#preparing.lostConnection());
    this.#connection.on('frame', (frame) => {
      if (frame.type === 'relay') this.#preparing.deliver(frame);
      else if (frame.type === 'over') this.#preparing.ended(frame.over);
      else if (frame.type === 'notice' && frame.notice.kind === 'preparation') {
        this.#preparing.heed(frame.notice.request, frame.notice.id);
      }
    });
  }

  start(): void {
    this.#connection.start();
    this.#preparing.start();
  }

  get stock(): readonly RosterStatus[] {
    return this.#pool.status;
  }

  /** Rosters that are prepared for. */
  get rosters(): readonly (readonly string[])[] {
    return this.#preparing.wanted;
  }

  /** Rosters for which there is still something to make. */
  get lacking(): readonly (readonly string[])[] {
    return this.#preparing.lacking;
  }

  async close(): Promise<void> {
    this.#connection.close();
    await this.#preparing.close();
    this.#pool.close();
  }
}
