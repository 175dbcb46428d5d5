import type { z } from 'zod';
import { blameEvidence } from '../../mpc/sum/evidence.ts';
import { twoSharesEvidence } from '../../mpc/sum/two-shares.ts';
import { signedBlameStatement } from '../../mpc/sum/blame-statement.ts';
import { shareHeader } from '../../mpc/sum/share.ts';
import { challenge, connectAnswer, errorRecord, pullRequest, welcome } from '../../protocol/frame.ts';
import { action, entry, ledgerExport, organisation, signedAction, treeHead } from '../../protocol/ledger.ts';
import { outcome } from '../../protocol/outcome.ts';
import { predicate, query, queryInput } from '../../protocol/query.ts';
import { releaseFloor, releaseInput, releaseRule } from '../../protocol/release.ts';
import { datasetSchema } from '../../protocol/schema.ts';
import { hello, signedHello } from '../../protocol/session.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { receiptDocument } from '../../researcher/result/documents.ts';

/** One document type of the wire or the ledger, with valid documents to mutate. */
export interface Sample {
  readonly name: string;
  readonly type: z.ZodType;
  readonly documents: readonly unknown[];
}

const d = (digit: string): string => digit.repeat(64);
const signature = '5'.repeat(128);

const aQuery = {
  dataset: 'heart@1',
  purpose: 'GRU',
  title: 'Ages “over” forty',
  derive: { old: { column: 'age', gte: 65 } },
  cohort: {
    all: [
      { column: 'age', between: [40, '79.5'] },
      {
        not: {
          any: [
            { column: 'sex', eq: 'f' },
            { column: 'smoker', isNull: true },
          ],
        },
      },
    ],
  },
  groupBy: [{ column: 'age', bins: [40, 60, 80], missing: 'group' }, { column: 'sex' }],
  statistics: [
    { count: {} },
    { mean: { column: 'age' } },
    { ci: { column: 'age', level: 0.95 } },
    { table: { columns: ['sex', 'smoker'] } },
  ],
  release: { minimumCell: 10, insiderRule: 2, minimumHospitals: 3, zeroCells: 'withhold', dominance: { percent: 20 } },
};
const aSchema = {
  dataset: 'heart',
  version: 1,
  columns: [
    { name: 'age', type: 'number', decimals: 1, minimum: '0', maximum: '120', unit: 'years' },
    { name: 'sex', type: 'category', codes: ['f', 'm'], labels: { f: 'female', m: 'male' } },
    { name: 'grade', type: 'number', decimals: 0, minimum: '-1', maximum: '3', codes: ['-1', '0', '3'] },
    { name: 'id', type: 'identifier', description: 'local number' },
  ],
  release: { minimumCell: 11, insiderRule: true, minimumHospitals: 4, zeroCells: 'open', dominance: { percent: 1 } },
};
const aHospital = { id: 'hospital-a', name: 'Hospital A', roles: ['hospital', 'admin'], publicKey: d('1') };
const actions = [
  { type: 'createConsortium', name: 'Heart', organisations: [aHospital] },
  { type: 'registerOrganisation', organisation: aHospital },
  { type: 'rotateKey', publicKey: d('2'), proof: signature },
  { type: 'revokeKey', organisation: 'hospital-a', publicKey: d('2'), reason: 'lost' },
  { type: 'registerSchema', schema: aSchema },
  { type: 'submitQuery', query: aQuery, answerKey: d('3'), hospitals: ['a', 'b'], steps: 1, nonce: d('4') },
  { type: 'approveQuery', query: d('5') },
  { type: 'denyQuery', query: d('5'), reason: 'no' },
  { type: 'openSession', query: d('5'), attempt: 0, roster: ['a', 'b'] },
  { type: 'recordCommitment', session: d('6'), step: 0, commitment: d('7') },
  { type: 'recordReceipt', session: d('6'), step: 0, result: d('7'), final: true },
  { type: 'abortSession', session: d('6'), reason: 'DROP_OUT', blame: 'a', round: 'agree/0', evidence: d('8') },
];
const signedOf = (each: unknown) => ({
  consortium: d('0'),
  caller: { organisation: 'a', publicKey: d('1') },
  action: each,
  signature,
});
const entryOf = (each: unknown, index: number) => ({
  index,
  previous: d('9'),
  time: '2026-01-02T03:04:05Z',
  signed: signedOf(each),
});
const head = { consortium: d('0'), size: 2, root: d('a'), publicKey: d('b'), signature };
const aHello = { session: d('6'), party: 'a', exchangeKey: d('c'), ledger: { size: 7, root: d('a') } };
const aSignedHello = { hello: aHello, publicKey: d('1'), signature };
const statement = {
  session: d('6'),
  step: 0,
  party: 'a',
  cells: 3,
  transcript: d('d'),
  listDigests: [d('e'), d('f')],
  seedHashes: [d('1')],
  masks: [d('2')],
  overflow: null,
};
const everyCell = { released: 'Dw==', announcements: [], answers: [] };
const someCells = {
  released: 'CQ==',
  announcements: [d('1'), d('2')],
  answers: [[-1, 40], [0]],
  committee: { coin: d('4'), members: ['a', 'b'] },
};
const aShareHeader = {
  hello: aSignedHello,
  step: 0,
  cells: 3,
  modulus: 'l',
  agreement: d('d'),
  outcome: null,
  signature,
};
const twoShares = {
  ...{ format: 'healthchain-two-shares/1', session: d('6'), step: 0, blamed: 'a' },
  shares: [d('a'), d('b')].map((digest, i) => ({
    ...{ agreement: d('7'), outcome: [null, d('8')][i], cells: 4, modulus: ['2^128', 'l'][i] },
    ...{ digest, publicKey: d('1'), signature },
  })),
};

const anEvidence = {
  format: 'healthchain-blame/1',
  session: d('6'),
  step: 0,
  blamed: 'a',
  check: 'SHARE_WRONG',
  modulus: '2^128',
  agreement: d('d'),
  statements: [{ statement, publicKey: d('1'), signature }],
  seeds: [{ pair: 'a/b', seed: d('1') }],
  share: { elements: 'AAAA', overflow: 'AAAA', blinding: d('2'), publicKey: d('1'), signature },
};
const aReceiptStep = { result: d('d'), blinding: d('e'), cells: ['0', '-12', '3', '4'] };
const aDecision = {
  agreement: d('d'),
  outcome: someCells,
  responses: Buffer.alloc(64, 7).toString('base64'),
  attestations: ['1', '2'].map((digit) => ({ publicKey: d(digit), signature })),
};
const aReceipt = {
  format: 'healthchain-receipt/1',
  ledger: { consortium: d('0'), operatorKey: d('b'), size: 9, root: d('a') },
  query: d('5'),
  session: d('6'),
  hospitals: ['a', 'b'],
  steps: [aReceiptStep],
};
const aStatement = { statement, publicKey: d('1'), signature };
const anError = { kind: 'Refusal', code: 'POLICY', message: 'no', hint: 'ask', party: 'a', round: 'open/0' };

export const SAMPLES: readonly Sample[] = [
  {
    name: 'query',
    type: query,
    documents: [
      aQuery,
      { dataset: 'heart@1', purpose: 'HMB', statistics: [{ count: {} }], release: everythingOpens() },
    ],
  },
  { name: 'query input', type: queryInput, documents: [aQuery] },
  { name: 'predicate', type: predicate, documents: [aQuery.cohort] },
  { name: 'schema', type: datasetSchema, documents: [aSchema] },
  { name: 'release rule', type: releaseRule, documents: [aQuery.release] },
  { name: 'release input', type: releaseInput, documents: [aQuery.release] },
  { name: 'release floor', type: releaseFloor, documents: [{}, aSchema.release] },
  { name: 'organisation', type: organisation, documents: [aHospital] },
  { name: 'action', type: action, documents: actions },
  { name: 'signed action', type: signedAction, documents: actions.map(signedOf) },
  { name: 'entry', type: entry, documents: actions.map(entryOf) },
  { name: 'tree head', type: treeHead, documents: [head] },
  {
    name: 'ledger export',
    type: ledgerExport,
    documents: [{ format: 'healthchain-ledger/1', head, entries: actions.map(entryOf) }],
  },
  { name: 'hello', type: hello, documents: [aHello] },
  { name: 'signed hello', type: signedHello, documents: [aSignedHello] },
  {
    name: 'share header',
    type: shareHeader,
    documents: [
      { ...aShareHeader, modulus: '2^128' },
      { ...aShareHeader, outcome: { digest: d('f'), bytes: 210 } },
    ],
  },
  { name: 'outcome', type: outcome, documents: [everyCell, someCells] },
  {
    name: 'receipt',
    type: receiptDocument,
    documents: [
      aReceipt,
      { ...aReceipt, steps: [{ ...aReceiptStep, cells: ['0', null, null, '4'], decision: aDecision }] },
    ],
  },
  {
    name: 'blame statement',
    type: signedBlameStatement,
    documents: [aStatement, { ...aStatement, statement: { ...statement, overflow: d('e') } }],
  },
  {
    name: 'blame evidence',
    type: blameEvidence,
    documents: [anEvidence, { ...anEvidence, outcome: someCells }],
  },
  {
    name: 'evidence of two shares',
    type: twoSharesEvidence,
    documents: [twoShares, { ...twoShares, step: 3 }],
  },
  {
    name: 'pull request',
    type: pullRequest,
    documents: [
      { kind: 'share', session: d('6'), step: 0 },
      { kind: 'statement', session: d('6'), step: 0 },
      { kind: 'overflow', session: d('6'), step: 0 },
      { kind: 'seed', session: d('6'), step: 0, peer: 'b', contradiction: 'AAAA' },
    ],
  },
  { name: 'error record', type: errorRecord, documents: [anError] },
  { name: 'challenge', type: challenge, documents: [{ type: 'challenge', consortium: d('0'), nonce: d('1') }] },
  {
    name: 'connect answer',
    type: connectAnswer,
    documents: [{ type: 'connect', organisation: 'a', publicKey: d('1'), signature }],
  },
  { name: 'welcome', type: welcome, documents: [{ type: 'welcome' }, { type: 'refused', error: anError }] },
];
