import { existsSync } from 'node:fs';
import type { Command } from 'commander';
import { rotation } from '../../ledger/index.ts';
import { checkDocument } from '../../protocol/canonical.ts';
import { Misuse } from '../../protocol/errors.ts';
import { Identity, keyFingerprint } from '../../protocol/identity.ts';
import { organisationId } from '../../protocol/names.ts';
import { readText, writeWhole } from '../files.ts';
import { asMember } from '../ledger-source.ts';
import { done, print, say } from '../output.ts';

export function addKeysCommands(program: Command): void {
  const keys = program.command('keys').description('identity keys: make, show, replace, revoke');

  keys
    .command('generate')
    .description('make an Ed25519 identity key')
    .requiredOption('--out <file>', 'where the private key goes (PEM); never overwritten')
    .action((options: { out: string }) => {
      generateKey(options.out);
      say(`The private key is in ${options.out}. Keep it there; register the public key.`);
    });

  keys
    .command('show')
    .description('print the public half of a key')
    .argument('<file>', 'private key (PEM)')
    .action((file: string) => show(Identity.fromPem(readText(file, 'key'))));

  keys
    .command('rotate')
    .description('replace this member’s key on the ledger; the old key is revoked')
    .requiredOption('--config <file>', 'this member’s configuration')
    .requiredOption('--new-key <file>', 'the new private key (PEM)')
    .action(async (options: { config: string; newKey: string }) => {
      const next = Identity.fromPem(readText(options.newKey, 'new key'));
      await asMember(options.config, ({ config, ledger, submit }) =>
        submit(rotation(ledger.consortium, config.organisation, next)),
      );
      done('The new key is registered and the old one revoked. Set keyFile to the new key now.');
    });

  keys
    .command('revoke')
    .description('revoke a key of this member, or, as admin, of another')
    .requiredOption('--config <file>', 'this member’s configuration')
    .requiredOption('--key <hex>', 'public key to revoke')
    .requiredOption('--reason <text>', 'why')
    .option('--organisation <id>', 'whose key, if not one’s own')
    .action(async (options: { config: string; key: string; reason: string; organisation?: string }) => {
      const { key, reason } = options;
      const what = { what: '--organisation', code: 'BAD_CONFIG', own: true } as const;
      const owner = await asMember(options.config, async ({ config, submit }) => {
        const organisation = checkDocument(organisationId, options.organisation ?? config.organisation, what);
        await submit({ type: 'revokeKey', organisation, publicKey: key, reason });
        return organisation;
      });
      done(`The key of ${owner} is revoked.`);
    });
}

/** Makes a key and shows its public half. Errors: `Misuse BAD_FILE` for a file that exists. */
export function generateKey(out: string): void {
  if (existsSync(out))
    throw new Misuse('BAD_FILE', `${out} exists already`, { hint: 'Choose another name; a key is never overwritten.' });
  const identity = Identity.generate();
  writeWhole(out, identity.toPem(), 0o600);
  show(identity);
}

function show(identity: Identity): void {
  print(identity.publicKey);
  say(`fingerprint: ${keyFingerprint(identity.publicKey)}`);
}
