import { createHash } from 'node:crypto';
import { common } from '@hyperledger/fabric-protos';
import { decodeExactly } from './encoding.ts';
import { element, integer, TAG } from './der.ts';
import { forged } from './forged.ts';

/** What all members see alike of a block: no peer's own metadata. */
export interface Block {
  readonly number: number;
  readonly previousHash: Uint8Array;
  readonly dataHash: Uint8Array;
  /** Envelopes. */
  readonly data: readonly Uint8Array[];
  /** The orderers' signatures: an encoded `common.Metadata`; empty for the genesis block. */
  readonly signatures: Uint8Array;
}

/** A block as a peer delivers it: with what the peer says of each transaction. */
export interface DeliveredBlock extends Block {
  /** One `peer.TxValidationCode` for each transaction. */
  readonly flags: Uint8Array;
}

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
};

/** The header as orderers sign it and as the next block names it: ASN.1 DER of number, previous hash, data hash. */
export const headerBytes = (block: Pick<Block, 'number' | 'previousHash' | 'dataHash'>): Uint8Array =>
  element(
    TAG.sequence,
    integer(block.number),
    element(TAG.octets, block.previousHash),
    element(TAG.octets, block.dataHash),
  );

export const headerHash = (block: Pick<Block, 'number' | 'previousHash' | 'dataHash'>): Buffer =>
  sha256(headerBytes(block));

/** Fabric hashes the envelopes joined without their lengths; see `transaction.ts` for what keeps them apart. */
export const dataHash = (data: readonly Uint8Array[]): Buffer => sha256(...data);

/** Takes apart what a peer delivered. */
export function receivedBlock(block: common.Block): DeliveredBlock {
  const header = block.getHeader();
  const metadata = block.getMetadata()?.getMetadataList_asU8() ?? [];
  if (header === undefined) throw forged(0, 'encoding', 'a block without a header');
  return {
    number: header.getNumber(),
    previousHash: header.getPreviousHash_asU8(),
    dataHash: header.getDataHash_asU8(),
    data: block.getData()?.getDataList_asU8() ?? [],
    // The genesis block is nobody's to sign: its hash is what a reader pins.
    signatures:
      header.getNumber() === 0
        ? new Uint8Array()
        : (metadata[common.BlockMetadataIndex.SIGNATURES] ?? new Uint8Array()),
    flags: metadata[common.BlockMetadataIndex.TRANSACTIONS_FILTER] ?? new Uint8Array(),
  };
}

/** The signatures of a block, and what was signed beside the header. */
export const decodeSignatures = (block: Block): common.Metadata =>
  decodeExactly(common.Metadata, block.signatures, "the orderers' signatures");
