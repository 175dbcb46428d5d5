/**
 * Every domain label of the system, in one place: a hash or signature made for one purpose can never be taken for
 * another, because no label is a prefix of another (each is length-prefixed where it is used).
 */
export const LABEL = {
  query: 'healthchain/v1/query',
  session: 'healthchain/v1/session',
  schema: 'healthchain/v1/schema',
  action: 'healthchain/v1/ledger/action',
  entry: 'healthchain/v1/ledger/entry',
  treeHead: 'healthchain/v1/ledger/tree-head',
  newKey: 'healthchain/v1/ledger/new-key',
  request: 'healthchain/v1/http-request',
  connect: 'healthchain/v1/connect',
  hello: 'healthchain/v1/session/hello',
  transcript: 'healthchain/v1/session/transcript',
  pairKey: 'healthchain/v1/session/pair-key',
  maskSeed: 'healthchain/v1/session/mask-seed',
  seedHash: 'healthchain/v1/session/seed-hash',
  concealment: 'healthchain/v1/sum/concealment',
  outcome: 'healthchain/v1/sum/outcome',
  shareKey: 'healthchain/v1/share/key',
  shareDigest: 'healthchain/v1/share/digest',
  shareStatement: 'healthchain/v1/share/statement',
  blameStatement: 'healthchain/v1/blame/statement',
  blameEvidence: 'healthchain/v1/blame/evidence',
  commitment: 'healthchain/v1/boolean/commitment',
  broadcast: 'healthchain/v1/boolean/broadcast',
  circuit: 'healthchain/v1/boolean/circuit',
  zeroShare: 'healthchain/v1/boolean/zero-share',
  baseOt: 'healthchain/v1/ot/base',
  tree: 'healthchain/v1/ot/tree',
  expansion: 'healthchain/v1/ot/expansion',
  columns: 'healthchain/v1/ot/columns',
  preparation: 'healthchain/v1/preprocessing/preparation',
  poolFile: 'healthchain/v1/pool/file',
  poolRoster: 'healthchain/v1/pool/roster',
  poolAgreement: 'healthchain/v1/pool/agreement',
  preparationSession: 'healthchain/v1/pool/session',
  result: 'healthchain/v1/result',
  keyFingerprint: 'healthchain/v1/key-fingerprint',
} as const;

export type Label = (typeof LABEL)[keyof typeof LABEL];
