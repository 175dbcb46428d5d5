import { Command, CommanderError } from 'commander';
import { printError } from './output.ts';
import { version } from './version.ts';

export type AddCommands = (program: Command) => void;

/** Runs the `healthchain` command with these commands. Sets the exit code: 0 done, 1 it failed or a check did not hold, 2 wrong usage. */
export async function run(argv: readonly string[], commands: readonly AddCommands[]): Promise<void> {
  const program = new Command('healthchain')
    .description(
      'Hospitals answer an approved question together; no record, and no hospital’s own number, leaves its house.',
    )
    .version(version())
    .showHelpAfterError('(healthchain --help shows all commands)')
    .exitOverride();
  for (const add of commands) add(program);
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 2;
      return;
    }
    printError(error);
    process.exitCode = 1;
  }
}
