/** Things that wait for the ledger to say something; asked again after every new entry. */
export class Waiting {
  readonly #checks = new Set<() => void>();

  /** Resolves with the condition's first value that is not undefined; rejects with the signal's reason. */
  until<T>(condition: () => T | undefined, signal: AbortSignal): Promise<T> {
    return new Promise((resolve, reject) => {
      const done = (): void => {
        this.#checks.delete(check);
        signal.removeEventListener('abort', fail);
      };
      const fail = (): void => {
        done();
        reject(signal.reason as Error);
      };
      const check = (): void => {
        const value = condition();
        if (value === undefined) return;
        done();
        resolve(value);
      };
      if (signal.aborted) return fail();
      signal.addEventListener('abort', fail);
      this.#checks.add(check);
      check();
    });
  }

  wake(): void {
    for (const check of [...this.#checks]) check();
  }
}
