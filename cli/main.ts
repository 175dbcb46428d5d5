import { run, type AddCommands } from './program.ts';

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

/** The `healthchain` command; see `run`. */
export async function main(argv: readonly string[]): Promise<void> {
  const asked = MODULES.filter(({ commands }) => commands.includes(argv[2] ?? ''));
  await run(argv, await Promise.all((asked.length > 0 ? asked : MODULES).map(({ load }) => load())));
}
