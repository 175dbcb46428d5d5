import { canonicalText } from '../../protocol/canonical.ts';
import { Fault, HealthchainError, Misuse } from '../../protocol/errors.ts';
import { entryHash } from '../../protocol/ledger-text.ts';
import { NO_CONSORTIUM, type SignedAction } from '../../protocol/ledger.ts';
import { apply } from '../contract/apply.ts';
import type { LedgerEvent } from '../contract/call.ts';
import { KEY } from '../contract/keys.ts';
import {
  readEpoch,
  readOrganisation,
  readPatient,
  readPublications,
  readQuery,
  readSchema,
  readSession,
} from '../contract/readers.ts';
import { readRow, ROW } from '../contract/rows.ts';
import type { State } from '../contract/state.ts';
import { decodeAction, decodeWord, requireArguments } from './arguments.ts';
import { requireCreator, type Creator } from './caller.ts';
import { ChannelState, type WorldState } from './state.ts';
import { trace, type History } from './trace.ts';

/** What the chaincode uses of Fabric's stub. */
export interface Stub extends WorldState, History {
  getBufferArgs(): readonly Uint8Array[];
  getDateTimestamp(): Date;
  setEvent(name: string, payload: Uint8Array): void;
}

export interface Response {
  readonly status: number;
  readonly message: string;
  readonly payload: Uint8Array;
}

/**
 * The contract as chaincode. It adds to the contract what only a Fabric channel has: the world state, the transaction's
 * timestamp, and the MSP identity of the submitter (`requireCreator`). Every function rejects with one of the four errors,
 * told as the canonical JSON of its record in the message of the response.
 *
 * | function               | answers                                                                        |
 * | ---------------------- | ------------------------------------------------------------------------------ |
 * | `apply(action)`        | `{"id"}`; sets an event named like the action with `{"events","id"}`           |
 * | `read(record, id)`     | the record as canonical JSON; nothing if there is none                         |
 * | `consortium()`         | `{"id","name"}`, `tier` if it has one; nothing before the founding             |
 * | `trace(kind, id)`      | the writes that concern it, `[{"key","time","transaction","value"}]`           |
 */
export class Chaincode {
  readonly #creatorOf: (stub: Stub) => Creator;
  readonly #failed: (error: unknown) => void;

  /** `failed` hears of what is no refusal: a bug, or a peer that went away in the middle. */
  constructor(creatorOf: (stub: Stub) => Creator, failed: (error: unknown) => void) {
    this.#creatorOf = creatorOf;
    this.#failed = failed;
  }

  /** The ledger begins with its founding action; nothing is to be done before it. */
  init(): Response {
    return success('');
  }

  async invoke(stub: Stub): Promise<Response> {
    try {
      return success(await this.#dispatch(stub));
    } catch (error) {
      if (error instanceof HealthchainError) return failure(error);
      this.#failed(error);
      return failure(new Fault('INTERNAL', 'the chaincode failed; its log has the cause'));
    }
  }

  #dispatch(stub: Stub): Promise<string> {
    const [name = new Uint8Array(), ...given] = stub.getBufferArgs();
    const state = new ChannelState(stub);
    const fn = decodeWord(name);
    const words = (...names: readonly string[]): string[] => {
      requireArguments(fn, given, names);
      return given.map(decodeWord);
    };
    switch (fn) {
      case 'apply':
        requireArguments(fn, given, ['action']);
        return this.#apply(stub, state, decodeAction(given[0]!));
      case 'read': {
        const [record, id] = words('record', 'id');
        return read(state, record!, id!);
      }
      case 'consortium':
        words();
        return consortium(state);
      case 'trace': {
        const [kind, id] = words('kind', 'id');
        return trace(state, stub, kind!, id!).then(canonicalText);
      }
      default:
        throw new Misuse('MALFORMED', 'the chaincode has no such function', {
          hint: 'It has: apply, read, consortium, trace.',
        });
    }
  }

  async #apply(stub: Stub, state: State, signed: SignedAction): Promise<string> {
    await requireCreator(state, signed, this.#creatorOf(stub));
    const id = await consortiumId(stub, state, signed);
    const outcome = await apply(state, signed, id);
    stub.setEvent(signed.action.type, Buffer.from(canonicalText(outcome), 'utf8'));
    return canonicalText({ id: outcome.id });
  }
}

/** The ledger's id: at founding the hash of the entry that readers of the block will make of this transaction. */
async function consortiumId(stub: Stub, state: State, signed: SignedAction): Promise<string> {
  const row = await readRow(state, KEY.consortium, ROW.consortium);
  if (row !== undefined) return row.id;
  const time = stub.getDateTimestamp().toISOString();
  return entryHash({ index: 0, previous: NO_CONSORTIUM, time, signed });
}

async function consortium(state: State): Promise<string> {
  const row = await readRow(state, KEY.consortium, ROW.consortium);
  return row === undefined ? '' : canonicalText(row);
}

/** Records by the names that the contract's events give them. */
const READERS: Readonly<Record<LedgerEvent['record'], (state: State, id: string) => Promise<unknown>>> = {
  organisation: readOrganisation,
  schema: readSchema,
  query: readQuery,
  session: readSession,
  patient: readPatient,
  epoch: readEpoch,
  publication: readPublications,
};

async function read(state: State, record: string, id: string): Promise<string> {
  if (!Object.hasOwn(READERS, record)) {
    throw new Misuse('MALFORMED', 'no record of this kind', { hint: `Ask for: ${Object.keys(READERS).join(', ')}.` });
  }
  const found = await READERS[record as keyof typeof READERS](state, id);
  return found === undefined ? '' : canonicalText(found);
}

const success = (payload: string): Response => ({ status: 200, message: '', payload: Buffer.from(payload, 'utf8') });

/** Fabric takes a status of 400 and more for an error: it is not endorsed, and its message reaches the caller. */
const failure = (error: HealthchainError): Response => ({
  status: 500,
  message: canonicalText(error.toJSON()),
  payload: new Uint8Array(),
});
