/** A hospital's node, for programs that run it themselves; the `healthchain hospital` command does it from a file. */
export { HospitalNode, type HospitalOptions } from './node.ts';
export { hospitalConfig, readHospitalConfig, readPolicy, type HospitalConfig } from './config.ts';
