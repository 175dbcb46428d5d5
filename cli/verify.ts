import './short-lived.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { run } from './program.ts';

/** `healthchain verify` alone, which `scripts/bundle.ts` puts into one file. */
export const main = (argv: readonly string[]): Promise<void> => run(argv, [addVerifyCommand]);
