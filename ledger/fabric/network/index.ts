/** A network of Hyperledger Fabric on one machine, as plain processes: for a first try, for tests, for measurements. */
export { addChannel, downNetwork, killProcess, startProcess, upNetwork, type UpOptions } from './network.ts';
export { networkDescription, type DescribedOrganisation, type NetworkDescription } from './description.ts';
export { networkStatus, type NetworkStatus } from './status.ts';
export { openContract, type OpenContract } from './probe.ts';
export { memberAddress } from './member-address.ts';
export { findPrograms, type Programs } from './programs.ts';
