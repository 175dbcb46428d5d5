import { Command, CommanderError } from 'commander';
import { printError } from './output.ts';
import { version } from './version.ts';

type AddCommands = (program: Command) => void;

/** Each command's module, loaded when it is asked for: a check of a receipt need not load a database engine. */
const MODULES: readonly { readonly commands: readonly string[]; readonly load: () => Promise<AddCommands> }[] = [
  { commands: ['sandbox', 'demo'], load: async () => (await import('./commands/sandbox.ts')).addSandboxCommands },
  { commands: ['verify'], load: async () => (await import('./commands/verify.ts')).addVerifyCommand },
  { commands: ['query'], load: async () => (await import('./commands/query.ts')).addQueryCommands },
  { commands: ['hospital'], load: async () => (await import('./commands/hospital.ts')).addHospitalCommands },
  { commands: ['coordinator'], load: async () => (await import('./commands/coordinator.ts')).addCoordinatorCommands },
  { commands: ['ledger'], load: async () => (await import('./commands/ledger.ts')).addLedgerCommands },
  { commands: ['fabric'], load: async () => (await import('./commands/fabric.ts')).addFabricCommands },
  {
    commands: ['consent', 'access'],
    load: async () => (await import('./commands/patient.ts')).addPatientCommands,
  },
  { commands: ['keys'], load: async () => (await import('./commands/keys.ts')).addKeysCommands },
  { commands: ['schema', 'generate'], load: async () => (await import('./commands/data.ts')).addDataCommands },
  { commands: ['doctor'], load: async () => (await import('./commands/doctor.ts')).addDoctorCommand },
];

/** The `healthchain` command. Sets the exit code: 0 done, 1 it failed or a check did not hold, 2 wrong usage. */
export async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('healthchain')
    .description(
      'Hospitals answer an approved question together; no record, and no hospital’s own number, leaves its house.',
    )
    .version(version())
    .showHelpAfterError('(healthchain --help shows all commands)')
    .exitOverride();
  const asked = MODULES.filter(({ commands }) => commands.includes(argv[2] ?? ''));
  for (const { load } of asked.length > 0 ? asked : MODULES) (await load())(program);
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
