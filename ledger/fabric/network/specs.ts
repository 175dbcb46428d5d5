import { join } from 'node:path';
import type { NetworkPlan, Paths } from './plan.ts';
import { packageId } from './package.ts';
import type { Programs } from './programs.ts';
import type { ProcessSpec } from './processes.ts';

/** Every process of a network: orderers, then peers with their chaincode. */
export function processSpecs(at: Paths, plan: NetworkPlan, programs: Programs, chaincode: string): ProcessSpec[] {
  const FABRIC_LOGGING_SPEC = 'warning';
  const orderers = plan.orderers.map(({ name }) => ({
    name,
    program: programs.path.orderer,
    args: [],
    environment: { FABRIC_CFG_PATH: at.home(name), FABRIC_LOGGING_SPEC },
    log: at.log(name),
  }));
  const members = plan.organisations.flatMap((organisation) => {
    const { name, domain, chaincodePort } = organisation;
    const tls = (file: string): string => join(at.node(domain, 'chaincode'), 'tls', file);
    return [
      {
        name: `peer-${name}`,
        program: programs.path.peer,
        args: ['node', 'start'],
        environment: { FABRIC_CFG_PATH: at.home(name), FABRIC_LOGGING_SPEC },
        log: at.log(`peer-${name}`),
      },
      {
        name: `chaincode-${name}`,
        program: process.execPath,
        args: [chaincode],
        environment: {
          CHAINCODE_SERVER_ADDRESS: `127.0.0.1:${chaincodePort}`,
          CHAINCODE_ID: packageId(at, organisation),
          CHAINCODE_TLS_KEY_FILE: tls('server.key'),
          CHAINCODE_TLS_CERT_FILE: tls('server.crt'),
          CHAINCODE_TLS_CLIENT_CACERT_FILE: tls('ca.crt'),
          CORE_CHAINCODE_LOGGING_LEVEL: 'critical',
        },
        log: at.log(`chaincode-${name}`),
      },
    ];
  });
  return [...orderers, ...members];
}
