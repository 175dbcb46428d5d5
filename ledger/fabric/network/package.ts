import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { runProgram } from './run.ts';
import { CHAINCODE, type Paths, type PlannedOrganisation } from './plan.ts';

/**
 * The external builder of chaincode-as-a-service: it takes packages of type ccaas and hands their connection.json to the
 * peer. Fabric's container images carry a program of the same name that does this.
 */
const BUILDER = {
  detect: 'grep -Eq \'"type": *"ccaas"\' "$2/metadata.json"',
  build: 'cp "$1/connection.json" "$3/"',
  release: 'mkdir -p "$2/chaincode/server" && cp "$1/connection.json" "$2/chaincode/server/"',
};

export function writeBuilder(at: Paths): void {
  mkdirSync(join(at.builder, 'bin'), { recursive: true });
  for (const [name, line] of Object.entries(BUILDER)) {
    writeFileSync(join(at.builder, 'bin', name), `#!/bin/sh\n${line}\n`, { mode: 0o755 });
  }
}

/**
 * Writes an organisation's chaincode package: where its peer finds the chaincode service, and the TLS key and certificates
 * with which the two know each other. It stays with the organisation.
 */
export async function writePackage(at: Paths, organisation: PlannedOrganisation): Promise<void> {
  const { name, domain, chaincodePort } = organisation;
  const tls = (host: string, file: string): string => readFileSync(join(at.node(domain, host), 'tls', file), 'utf8');
  const connection = {
    address: `127.0.0.1:${chaincodePort}`,
    dial_timeout: '10s',
    tls_required: true,
    client_auth_required: true,
    client_key: tls('peer0', 'server.key'),
    client_cert: tls('peer0', 'server.crt'),
    root_cert: tls('peer0', 'ca.crt'),
  };
  const folder = mkdtempSync(join(tmpdir(), 'healthchain-package-'));
  try {
    writeFileSync(join(folder, 'connection.json'), JSON.stringify(connection), { mode: 0o600 });
    writeFileSync(join(folder, 'metadata.json'), JSON.stringify({ type: 'ccaas', label: CHAINCODE }));
    await runProgram('tar', ['-C', folder, '-czf', join(folder, 'code.tar.gz'), 'connection.json']);
    mkdirSync(at.home(name), { recursive: true, mode: 0o700 });
    await runProgram('tar', ['-C', folder, '-czf', at.package(name), 'metadata.json', 'code.tar.gz']);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The id that a peer gives an installed package: its label and the hash of its bytes. */
export const packageId = (at: Paths, organisation: PlannedOrganisation): string =>
  `${CHAINCODE}:${hash('sha256', readFileSync(at.package(organisation.name)))}`;
