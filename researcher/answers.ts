import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ExchangeKey } from '../protocol/envelope.ts';
import { Fault, Misuse } from '../protocol/errors.ts';

/** Where a researcher keeps the keys of its answers, one per query. Whoever has such a key can read that answer. */
export class AnswerKeys {
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Stored before the query is submitted, so that no answer is ever sealed to a key that is lost. */
  store(query: string, key: ExchangeKey): void {
    try {
      mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
      writeFileSync(this.#path(query), key.toPem(), { mode: 0o600 });
    } catch (cause) {
      throw new Fault('DISK', `cannot write the answer key into ${this.#folder}`, {
        hint: 'Check that the folder can be written.',
        cause,
      });
    }
  }

  load(query: string): ExchangeKey {
    const path = this.#path(query);
    if (!existsSync(path)) {
      throw new Misuse('BAD_KEY', 'the key of this answer is not here', {
        hint: `Only the machine that submitted the query can open its answer; expected ${path}.`,
      });
    }
    return ExchangeKey.fromPem(readFileSync(path, 'utf8'));
  }

  #path(query: string): string {
    return join(this.#folder, `${query}.pem`);
  }
}
