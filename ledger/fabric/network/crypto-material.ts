import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ORDERER_DOMAIN, paths, type NetworkPlan } from './plan.ts';
import type { Programs } from './programs.ts';
import { runProgram } from './run.ts';

const LOCAL = ['localhost', '127.0.0.1'];

/**
 * Makes certificate authorities, nodes and users of a network by Fabric's cryptogen. For one machine and a first try: the
 * keys of all authorities lie in one folder. A consortium uses a Fabric CA at each organisation.
 */
export async function makeCryptoMaterial(folder: string, plan: NetworkPlan, programs: Programs): Promise<void> {
  const { crypto } = paths(folder);
  const config = {
    OrdererOrgs: [
      {
        Name: 'Orderer',
        Domain: ORDERER_DOMAIN,
        EnableNodeOUs: true,
        Specs: plan.orderers.map(({ name }) => ({ Hostname: name, SANS: LOCAL })),
      },
    ],
    PeerOrgs: plan.organisations.map(({ mspId, domain }) => ({
      Name: mspId,
      Domain: domain,
      EnableNodeOUs: true,
      // The chaincode beside the peer has a TLS certificate of its own.
      Specs: ['peer0', 'chaincode'].map((Hostname) => ({ Hostname, SANS: LOCAL })),
      Users: { Count: 1 },
    })),
  };
  rmSync(crypto, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const file = join(folder, 'crypto-config.yaml');
  writeFileSync(file, JSON.stringify(config, undefined, 2));
  await runProgram(programs.path.cryptogen, ['generate', `--config=${file}`, `--output=${crypto}`]);
}
