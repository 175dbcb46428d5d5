import { Command, CommanderError } from 'commander';
import { addCoordinatorCommands } from './commands/coordinator.ts';
import { addDoctorCommand } from './commands/doctor.ts';
import { addDataCommands } from './commands/data.ts';
import { addHospitalCommands } from './commands/hospital.ts';
import { addKeysCommands } from './commands/keys.ts';
import { addLedgerCommands } from './commands/ledger.ts';
import { addQueryCommands } from './commands/query.ts';
import { addSandboxCommands } from './commands/sandbox.ts';
import { addVerifyCommand } from './commands/verify.ts';
import { printError } from './output.ts';
import { version } from './version.ts';

/** The `healthchain` command. Sets the exit code: 0 done, 1 it failed or a check did not hold, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('healthchain')
    .description(
      'Hospitals answer an approved question together; no record, and no hospital’s own number, leaves its house.',
    )
    .version(version())
    .showHelpAfterError('(healthchain --help shows all commands)')
    .exitOverride();
  for (const add of [
    addSandboxCommands,
    addVerifyCommand,
    addQueryCommands,
    addHospitalCommands,
    addCoordinatorCommands,
    addLedgerCommands,
    addKeysCommands,
    addDataCommands,
    addDoctorCommand,
  ]) {
    add(program);
  }
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
