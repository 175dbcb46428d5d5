import { decodeDocument } from '../../protocol/canonical.ts';
import { knowActionText } from '../../protocol/ledger-text.ts';
import { entry, type Action, type Entry, type SignedAction, type TreeHead } from '../../protocol/ledger.ts';
import { ANSWER_LIMIT, entryBatch, PAGE_ENTRIES } from './wire.ts';

/** A head of the ledger, and entries that it covers. */
export interface Batch {
  readonly head: TreeHead;
  readonly entries: readonly Entry[];
}

/**
 * Decodes what a stream tells at a time. Almost all entries of a ledger are approvals and commitments, and a server writes
 * them in canonical form: text of just that form is read as it stands, by one expression, and anything else as any
 * document. The outcome is the same; the short way takes a fifth of the time, which every member spends on every entry, and
 * leaves the canonical form of each action at hand. Errors: as `decodeDocument`.
 */
export const decodeBatch = (text: string): Batch =>
  readPlain(text) ?? decodeDocument(entryBatch, text, { what: 'ledger stream', limit: ANSWER_LIMIT });

// What follows says as expressions what protocol/ledger.ts says as types; a test holds them together.
const DIGEST = '"([0-9a-f]{64})"';
const SIGNATURE = '"([0-9a-f]{128})"';
const COUNT = '(0|[1-9][0-9]{0,14})';
const APPROVAL = `"query":${DIGEST},"type":"approveQuery"`;
const COMMITMENT =
  `"commitment":${DIGEST}(?:,"consentEpoch":"(2[0-9]{3}-(?:0[1-9]|1[0-2]))")?` +
  `,"session":${DIGEST},"step":(0|[1-9][0-9]{0,2}),"type":"recordCommitment"`;
const CALLER = `"organisation":"([a-z0-9][a-z0-9_-]{0,62})","publicKey":${DIGEST}`;
const SIGNED = `"action":{(?:${APPROVAL}|${COMMITMENT})},"caller":{${CALLER}},"consortium":${DIGEST}`;

const BEGIN = '{"entries":[';
const ENTRY = new RegExp(
  `{"index":${COUNT},"previous":${DIGEST},"signed":({${SIGNED}),"signature":${SIGNATURE}},"time":"([0-9T:.Z-]{1,40})"}`,
  'y',
);
const HEAD = new RegExp(
  `],"head":{"consortium":${DIGEST},"publicKey":${DIGEST},"root":${DIGEST},"signature":${SIGNATURE},"size":([1-9][0-9]{0,14})}}$`,
  'y',
);

/** Undefined for any other text than the canonical one of approvals, commitments and a head. */
function readPlain(text: string): Batch | undefined {
  if (!text.startsWith(BEGIN)) return undefined;
  const entries: Entry[] = [];
  let time = '';
  for (let at = BEGIN.length; ; at++) {
    ENTRY.lastIndex = at;
    const found = ENTRY.exec(text);
    if (found === null || entries.length === PAGE_ENTRIES) return undefined;
    // Entries of one batch mostly bear one time.
    if (found[13] !== time && !entry.shape.time.safeParse(found[13]).success) return undefined;
    time = found[13]!;
    entries.push(entryOf(found));
    at = ENTRY.lastIndex;
    if (text[at] !== ',') return withHead(text, at, entries);
  }
}

function entryOf(found: RegExpExecArray): Entry {
  const [, index, previous, unsigned, query, commitment, epoch, session, step] = found;
  const [organisation, publicKey, consortium, signature] = found.slice(9, 13);
  const action: Action =
    query !== undefined
      ? { type: 'approveQuery', query }
      : {
          type: 'recordCommitment',
          session: session!,
          step: Number(step),
          commitment: commitment!,
          ...(epoch === undefined ? {} : { consentEpoch: epoch }),
        };
  const signed: SignedAction = {
    consortium: consortium!,
    caller: { organisation: organisation!, publicKey: publicKey! },
    action,
    signature: signature!,
  };
  knowActionText(signed, `${unsigned!}}`);
  return { index: Number(index), previous: previous!, time: found[13]!, signed };
}

function withHead(text: string, at: number, entries: readonly Entry[]): Batch | undefined {
  HEAD.lastIndex = at;
  const found = HEAD.exec(text);
  if (found === null) return undefined;
  const [, consortium, publicKey, root, signature, size] = found;
  const head = {
    consortium: consortium!,
    size: Number(size),
    root: root!,
    publicKey: publicKey!,
    signature: signature!,
  };
  return { head, entries };
}
