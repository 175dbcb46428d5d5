import { common, msp } from '@hyperledger/fabric-protos';
import { type Block, decodeSignatures, headerBytes } from './block.ts';
import type { ChannelConfig } from './config.ts';
import { decodeExactly } from './encoding.ts';
import { forged } from './forged.ts';
import { signer, type SignedData } from './msp.ts';

const BLOCK_VALIDATION = '/Channel/Orderer/BlockValidation';

/**
 * Requires the ordering service to have signed a block as the channel's policy for blocks says (with Raft by default one
 * orderer of any ordering organisation; with BFT a quorum of the consenters). Every signature the block carries must
 * verify, so that none can be changed unnoticed. Rejects with `Abort FORGED_LEDGER`, check `orderer-signature`.
 */
export function verifyOrderers(block: Block, config: ChannelConfig): void {
  const policy = config.policy(BLOCK_VALIDATION);
  if (policy === undefined) throw forged(block.number, 'orderer-signature', 'the channel has no policy for blocks');
  const metadata = decodeSignatures(block);
  const signers = metadata.getSignaturesList().map((signature) => {
    const found = signer(config.msps, signedData(block, metadata.getValue_asU8(), signature, config));
    if (typeof found === 'string') throw forged(block.number, 'orderer-signature', found);
    return found;
  });
  if (!policy(signers)) {
    throw forged(
      block.number,
      'orderer-signature',
      `${signers.length} signatures of orderers do not meet the channel's policy for blocks`,
    );
  }
}

function signedData(
  block: Block,
  value: Uint8Array,
  signature: common.MetadataSignature,
  config: ChannelConfig,
): SignedData {
  const header = signature.getSignatureHeader_asU8();
  const identifier = signature.getIdentifierHeader_asU8();
  if (header.length === 0 && identifier.length > 0 && config.consenters.size > 0) {
    const id = decodeExactly(common.IdentifierHeader, identifier, 'an identifier header').getIdentifier();
    return {
      identity: consenterIdentity(block, config, id),
      message: Buffer.concat([value, identifier, headerBytes(block)]),
      signature: signature.getSignature_asU8(),
    };
  }
  return {
    identity: decodeExactly(common.SignatureHeader, header, 'a signature header').getCreator_asU8(),
    message: Buffer.concat([value, header, headerBytes(block)]),
    signature: signature.getSignature_asU8(),
  };
}

/** Consenters of a Byzantine fault tolerant service sign by their number. */
function consenterIdentity(block: Block, config: ChannelConfig, id: number): Uint8Array {
  const consenter = config.consenters.get(id);
  if (consenter === undefined) throw forged(block.number, 'orderer-signature', `no consenter has number ${id}`);
  const identity = new msp.SerializedIdentity();
  identity.setMspid(consenter.getMspId());
  identity.setIdBytes(consenter.getIdentity_asU8());
  return identity.serializeBinary();
}
