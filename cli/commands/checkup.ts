import { HealthchainError } from '../../protocol/errors.ts';

/** One thing to look at; its text is what a person reads when it is well, its error when it is not. */
export type Checkup = (name: string, run: () => Promise<string> | string) => Promise<void>;

/** What is not as it should be, and what to do about it. */
export class Unwell extends HealthchainError {
  readonly kind = 'Misuse';
  readonly code = 'BAD_CONFIG';
  constructor(message: string, hint: string) {
    super(message, { hint });
  }
}
