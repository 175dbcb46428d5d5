import { fromHex, toHex } from '../../protocol/bytes.ts';
import { Abort } from '../../protocol/errors.ts';
import type { ChannelExport, ExportedBlock } from '../../protocol/ledger.ts';
import type { Pins } from '../heads.ts';
import type { Block } from './blocks/block.ts';
import { ChannelReplica } from './replica.ts';

/** Replays the export of a Fabric channel; see `verifyExport`. */
export async function replayChannel(document: ChannelExport, pins: Pins): Promise<ChannelReplica> {
  if (pins.operator !== undefined) {
    throw new Abort(
      'FORGED_LEDGER',
      'the document is a Fabric channel where the operator of an embedded ledger is pinned',
    );
  }
  const { channel, chaincode, blocks } = document;
  const replica = new ChannelReplica({ channel, chaincode, pins });
  for (const block of blocks) await replica.accept(importBlock(block));
  if (!replica.isFounded)
    throw new Abort('FORGED_LEDGER', 'the channel holds no consortium: nothing was founded on it');
  return replica;
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');
const bytes = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64'));

export const exportBlock = (block: Block): ExportedBlock => ({
  number: block.number,
  previousHash: toHex(block.previousHash),
  dataHash: toHex(block.dataHash),
  data: block.data.map(base64),
  signatures: base64(block.signatures),
});

export const importBlock = (block: ExportedBlock): Block => ({
  number: block.number,
  previousHash: block.previousHash === '' ? new Uint8Array() : fromHex(block.previousHash, 32),
  dataHash: fromHex(block.dataHash, 32),
  data: block.data.map(bytes),
  signatures: bytes(block.signatures),
});
