import { ledger } from '@hyperledger/fabric-protos';
import { decodeExactly } from './encoding.ts';

const { kvrwset, rwset } = { kvrwset: ledger.rwset.kvrwset, rwset: ledger.rwset };

/** Block and place in it of the transaction that last wrote a key, as "7:2". */
export type Version = string;

export interface Read {
  readonly key: string;
  /** Undefined where the key did not exist. */
  readonly version: Version | undefined;
}

export interface RangeRead {
  readonly start: string;
  /** Exclusive where the range was read to its end, else the last key that was seen. */
  readonly end: string;
  readonly exhausted: boolean;
  readonly reads: readonly Read[] | undefined;
  /** In place of many reads: the top of a hash tree over them. */
  readonly tree:
    { readonly degree: number; readonly level: number; readonly hashes: readonly Uint8Array[] } | undefined;
}

export interface Write {
  readonly key: string;
  /** Undefined where the key is deleted. */
  readonly value: Uint8Array | undefined;
}

/** What a transaction read and wrote in one namespace: a chaincode's public state or one private collection (as hashes). */
export interface NamespaceSet {
  /** Name of the chaincode. */
  readonly chaincode: string;
  /** Undefined for public state. */
  readonly collection: string | undefined;
  readonly reads: readonly Read[];
  readonly ranges: readonly RangeRead[];
  readonly writes: readonly Write[];
  /** Whether it sets policies of single keys. */
  readonly metadata: boolean;
}

const versionOf = (version: ledger.rwset.kvrwset.Version | undefined): Version | undefined =>
  version === undefined ? undefined : `${version.getBlockNum()}:${version.getTxNum()}`;

/** Decodes the results of a transaction. Throws `EncodingError`. */
export function decodeReadWriteSet(bytes: Uint8Array): NamespaceSet[] {
  const whole = decodeExactly(rwset.TxReadWriteSet, bytes, 'the read-write set');
  return whole.getNsRwsetList().flatMap((each) => {
    const chaincode = each.getNamespace();
    return [
      publicSet(chaincode, each.getRwset_asU8()),
      ...each.getCollectionHashedRwsetList().map((collection) => collectionSet(chaincode, collection)),
    ];
  });
}

function publicSet(chaincode: string, bytes: Uint8Array): NamespaceSet {
  const set = decodeExactly(kvrwset.KVRWSet, bytes, `the read-write set of ${chaincode}`);
  return {
    chaincode,
    collection: undefined,
    reads: set.getReadsList().map((read) => ({ key: read.getKey(), version: versionOf(read.getVersion()) })),
    ranges: set.getRangeQueriesInfoList().map(rangeOf),
    writes: set.getWritesList().map((write) => ({
      key: write.getKey(),
      value: write.getIsDelete() ? undefined : write.getValue_asU8(),
    })),
    metadata: set.getMetadataWritesList().length > 0,
  };
}

function collectionSet(chaincode: string, collection: ledger.rwset.CollectionHashedReadWriteSet): NamespaceSet {
  const name = collection.getCollectionName();
  const set = decodeExactly(kvrwset.HashedRWSet, collection.getHashedRwset_asU8(), `the read-write set of ${name}`);
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return {
    chaincode,
    collection: name,
    reads: set.getHashedReadsList().map((read) => ({
      key: hex(read.getKeyHash_asU8()),
      version: versionOf(read.getVersion()),
    })),
    ranges: [],
    writes: set.getHashedWritesList().map((write) => ({
      key: hex(write.getKeyHash_asU8()),
      value: write.getIsDelete() || write.getIsPurge() ? undefined : write.getValueHash_asU8(),
    })),
    metadata: set.getMetadataWritesList().length > 0,
  };
}

function rangeOf(info: ledger.rwset.kvrwset.RangeQueryInfo): RangeRead {
  const tree = info.getReadsMerkleHashes();
  const reads = info.getRawReads()?.getKvReadsList() ?? [];
  return {
    start: info.getStartKey(),
    end: info.getEndKey(),
    exhausted: info.getItrExhausted(),
    reads:
      tree === undefined
        ? reads.map((read) => ({ key: read.getKey(), version: versionOf(read.getVersion()) }))
        : undefined,
    tree: tree && {
      degree: tree.getMaxDegree(),
      level: tree.getMaxLevel(),
      hashes: tree.getMaxLevelHashesList_asU8(),
    },
  };
}
