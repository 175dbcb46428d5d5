/**
 * The four ways in which healthchain says no. Every error that leaves a module is one of these classes, with a
 * code from a closed list, so that callers branch on `code` and people read `message` and `hint`.
 *
 * Texts never contain a secret, a share, a key, a row or a value of a row: they may reach logs, the ledger and
 * other organisations.
 */

/** Policy or authorization says no. */
export type RefusalCode =
  | 'NOT_AUTHORIZED' // the caller's role or organisation may not do this
  | 'NOT_APPROVED' // the query lacks approvals
  | 'POLICY' // the site policy does not allow it
  | 'POLICY_MISSING' // no policy is configured: fail closed
  | 'SUSPENDED' // an auditor suspended the member or the query
  | 'ALREADY_OPENED' // a summed share of this query has left this hospital
  | 'ALREADY_DONE' // the ledger holds this action, or its effect, already
  | 'STALE' // the action does not follow from the present state
  | 'UNKNOWN' // names something that is not registered
  | 'BAD_SIGNATURE' // signature, key or proof of identity does not verify
  | 'REPLAY' // a signed request seen before, or too old
  | 'TOO_LARGE' // over a stated limit
  | 'TOO_MANY'; // rate or connection limit

/** Somebody cheated or equivocated; nothing opens. */
export type AbortCode =
  | 'EQUIVOCATION' // parties saw different transcripts
  | 'SEED_MISMATCH' // the two ends of a pair hold different mask seeds
  | 'ROSTER_MISMATCH' // the session offered differs from the ledger's
  | 'FORGED_FRAME' // a sealed frame does not open, or is out of its place
  | 'FORGED_HELLO' // a session key without its owner's signature
  | 'FORGED_SHARE' // a summed share that does not decode, or lacks its owner's signature
  | 'VERIFICATION_FAILED' // the opened cells do not match the commitments on the ledger
  | 'FORGED_LEDGER' // hash chain, signature, tree head or replay of the ledger does not verify
  | 'LEDGER_FORK' // two views of one ledger that cannot both be true
  | 'COMMITMENT' // an opening that does not fit its commitment
  | 'MAC_CHECK' // opened bits whose tags do not add up: somebody sent a wrong share
  | 'BAD_BASE_OT' // a message of the base transfers or of their trees that no honest party sends
  | 'COT_CHECK' // corrections of transferred bits that fit no bits, or other bits towards another party
  | 'KEY_CHECK' // a global key that differs from peer to peer
  | 'TRIPLE_CHECK' // products of the preprocessing that are none
  | 'INPUT_FORGED' // a member of a committee entered something else than the hospital outside it had sent
  | 'BLAME_REFUSED'; // a party would not take part in finding the cheat

/** The world failed: network, disk, a peer gone. */
export type FaultCode =
  | 'PEER_GONE'
  | 'DEADLINE'
  | 'NETWORK'
  | 'LEDGER_DOWN'
  | 'COORDINATOR_DOWN'
  | 'DISK'
  | 'DATA' // the local data do not fit the registered schema
  | 'CLOCK'
  | 'PORT_IN_USE'
  | 'INTERNAL';

/** The caller's mistake: malformed input, wrong configuration, wrong order of calls. */
export type MisuseCode =
  | 'MALFORMED' // does not decode
  | 'NOT_CANONICAL' // decodes, but is not the one allowed encoding
  | 'BAD_QUERY'
  | 'BAD_SCHEMA'
  | 'BAD_CONFIG'
  | 'BAD_KEY'
  | 'BAD_FILE'
  | 'OUT_OF_RANGE'
  | 'OUT_OF_ORDER'
  | 'OUT_OF_STOCK'; // more random material asked for than was made

export interface ErrorDetail {
  /** What the reader can do about it, as one sentence. */
  readonly hint?: string;
  /** The party concerned: whom an Abort blames, whom a Fault misses. */
  readonly party?: string;
  /** The protocol round in which it was noticed. */
  readonly round?: string;
  readonly cause?: unknown;
}

export type ErrorKind = 'Refusal' | 'Abort' | 'Fault' | 'Misuse';

/** What crosses a process boundary of an error: everything but stack and cause. */
export interface ErrorRecord {
  readonly kind: ErrorKind;
  readonly code: string;
  readonly message: string;
  readonly hint?: string | undefined;
  readonly party?: string | undefined;
  readonly round?: string | undefined;
}

export abstract class HealthchainError extends Error {
  abstract readonly kind: ErrorKind;
  abstract readonly code: string;
  readonly hint: string | undefined;
  readonly party: string | undefined;
  readonly round: string | undefined;

  constructor(message: string, detail: ErrorDetail = {}) {
    super(message, detail.cause === undefined ? undefined : { cause: detail.cause });
    this.hint = detail.hint;
    this.party = detail.party;
    this.round = detail.round;
  }

  toJSON(): ErrorRecord {
    return {
      kind: this.kind,
      code: this.code,
      message: this.message,
      ...(this.hint === undefined ? {} : { hint: this.hint }),
      ...(this.party === undefined ? {} : { party: this.party }),
      ...(this.round === undefined ? {} : { round: this.round }),
    };
  }
}

export class Refusal extends HealthchainError {
  override readonly name = 'Refusal';
  readonly kind = 'Refusal';
  readonly code: RefusalCode;
  constructor(code: RefusalCode, message: string, detail?: ErrorDetail) {
    super(message, detail);
    this.code = code;
  }
}

export class Abort extends HealthchainError {
  override readonly name = 'Abort';
  readonly kind = 'Abort';
  readonly code: AbortCode;
  constructor(code: AbortCode, message: string, detail?: ErrorDetail) {
    super(message, detail);
    this.code = code;
  }
}

export class Fault extends HealthchainError {
  override readonly name = 'Fault';
  readonly kind = 'Fault';
  readonly code: FaultCode;
  constructor(code: FaultCode, message: string, detail?: ErrorDetail) {
    super(message, detail);
    this.code = code;
  }
}

export class Misuse extends HealthchainError {
  override readonly name = 'Misuse';
  readonly kind = 'Misuse';
  readonly code: MisuseCode;
  constructor(code: MisuseCode, message: string, detail?: ErrorDetail) {
    super(message, detail);
    this.code = code;
  }
}

const REFUSAL_CODES: ReadonlySet<string> = new Set<RefusalCode>([
  'NOT_AUTHORIZED',
  'NOT_APPROVED',
  'POLICY',
  'POLICY_MISSING',
  'SUSPENDED',
  'ALREADY_OPENED',
  'ALREADY_DONE',
  'STALE',
  'UNKNOWN',
  'BAD_SIGNATURE',
  'REPLAY',
  'TOO_LARGE',
  'TOO_MANY',
]);
const ABORT_CODES: ReadonlySet<string> = new Set<AbortCode>([
  'EQUIVOCATION',
  'SEED_MISMATCH',
  'ROSTER_MISMATCH',
  'FORGED_FRAME',
  'FORGED_HELLO',
  'FORGED_SHARE',
  'VERIFICATION_FAILED',
  'FORGED_LEDGER',
  'LEDGER_FORK',
  'COMMITMENT',
  'MAC_CHECK',
  'BAD_BASE_OT',
  'COT_CHECK',
  'KEY_CHECK',
  'TRIPLE_CHECK',
  'INPUT_FORGED',
  'BLAME_REFUSED',
]);
const FAULT_CODES: ReadonlySet<string> = new Set<FaultCode>([
  'PEER_GONE',
  'DEADLINE',
  'NETWORK',
  'LEDGER_DOWN',
  'COORDINATOR_DOWN',
  'DISK',
  'DATA',
  'CLOCK',
  'PORT_IN_USE',
  'INTERNAL',
]);
const MISUSE_CODES: ReadonlySet<string> = new Set<MisuseCode>([
  'MALFORMED',
  'NOT_CANONICAL',
  'BAD_QUERY',
  'BAD_SCHEMA',
  'BAD_CONFIG',
  'BAD_KEY',
  'BAD_FILE',
  'OUT_OF_RANGE',
  'OUT_OF_ORDER',
  'OUT_OF_STOCK',
]);

/**
 * Rebuilds the error that another process reported, so that a refusal by the ledger is a `Refusal` at its caller too.
 * A record of unknown kind or code becomes a `Fault INTERNAL`: the other side is not believed to extend the lists.
 */
export function errorFromRecord(record: ErrorRecord): HealthchainError {
  const detail: ErrorDetail = {
    ...(record.hint === undefined ? {} : { hint: record.hint }),
    ...(record.party === undefined ? {} : { party: record.party }),
    ...(record.round === undefined ? {} : { round: record.round }),
  };
  const { kind, code, message } = record;
  if (kind === 'Refusal' && REFUSAL_CODES.has(code)) return new Refusal(code as RefusalCode, message, detail);
  if (kind === 'Abort' && ABORT_CODES.has(code)) return new Abort(code as AbortCode, message, detail);
  if (kind === 'Fault' && FAULT_CODES.has(code)) return new Fault(code as FaultCode, message, detail);
  if (kind === 'Misuse' && MISUSE_CODES.has(code)) return new Misuse(code as MisuseCode, message, detail);
  return new Fault('INTERNAL', message, detail);
}

/** Wraps what a library or the platform threw; errors of our own pass through untouched. */
export function asHealthchainError(error: unknown, fallback: (cause: unknown) => HealthchainError): HealthchainError {
  return error instanceof HealthchainError ? error : fallback(error);
}
