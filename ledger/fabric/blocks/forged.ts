import { Abort } from '../../../protocol/errors.ts';

/** What is checked of a block, by name: an `Abort FORGED_LEDGER` says which of these did not hold. */
export type BlockCheck =
  | 'encoding' // a message that is not in the one form that Fabric writes
  | 'number' // not the block that follows
  | 'genesis' // not the pinned first block
  | 'previous-hash'
  | 'data-hash'
  | 'orderer-signature' // the channel's policy for blocks is not met
  | 'envelope' // a transaction without its envelope, or two in one
  | 'channel' // of another channel
  | 'config' // a configuration that its members did not sign, or that does not follow
  | 'chaincode' // the chaincode's definition lets less than a majority endorse
  | 'majority' // endorsed by less than a majority of the organisations
  | 'flags' // the peer says valid where the reader finds invalid, or the other way round
  | 'action' // what was endorsed is no action, or its writes are not those of the contract
  | 'contract'; // the contract refuses it, or state was written past it

/** Says that a block is not one of an honest channel: which block, which check, and what is wrong. */
export const forged = (number: number, check: BlockCheck, message: string, cause?: unknown): Abort =>
  new Abort('FORGED_LEDGER', `block ${number}: ${check}: ${message}`, {
    hint: 'Do not use this copy of the channel; keep it as evidence and compare it with another member.',
    ...(cause === undefined ? {} : { cause }),
  });
