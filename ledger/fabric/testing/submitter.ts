import { GatewayError, type Proposal } from '@hyperledger/fabric-gateway';
import { canonicalText } from '../../../protocol/canonical.ts';
import type { ErrorRecord } from '../../../protocol/errors.ts';
import type { SignedAction } from '../../../protocol/ledger.ts';
import { readErrorRecord } from '../../chaincode/testing/errors.ts';
import { openContract, type NetworkDescription, type OpenContract } from '../network/index.ts';
import type { IdentityFiles } from './authority.ts';

/** What came of a transaction: the chaincode's answer, its error, or what else a peer or the gateway said. */
export type SubmitOutcome =
  { readonly answer: string } | { readonly error: ErrorRecord } | { readonly rejected: string };

/**
 * One identity at its organisation's gateway, with nothing of ours between: it sends what it is told to send, for tests of what
 * chaincode and channel refuse.
 */
export class Submitter {
  readonly #open: OpenContract;

  constructor(network: NetworkDescription, organisation: string, identity?: IdentityFiles) {
    const found = network.organisations.find(({ name }) => name === organisation)!;
    this.#open = openContract(network, found, network.channels[0]!.name, identity);
  }

  apply(signed: SignedAction): Promise<SubmitOutcome> {
    return this.submit('apply', canonicalText(signed));
  }
  async submit(fn: string, ...args: readonly (string | Uint8Array)[]): Promise<SubmitOutcome> {
    return outcome(this.#open.contract.submit(fn, { arguments: [...args] }));
  }
  async evaluate(fn: string, ...args: readonly string[]): Promise<SubmitOutcome> {
    return outcome(this.#open.contract.evaluate(fn, { arguments: [...args] }));
  }
  /** A transaction not yet sent to peers, to be endorsed and submitted step by step. */
  propose(signed: SignedAction, endorsers?: readonly string[]): Proposal {
    return this.#open.contract.newProposal('apply', {
      arguments: [canonicalText(signed)],
      ...(endorsers === undefined ? {} : { endorsingOrganizations: [...endorsers] }),
    });
  }
  close(): void {
    this.#open.close();
  }
}

async function outcome(answer: Promise<Uint8Array>): Promise<SubmitOutcome> {
  try {
    return { answer: Buffer.from(await answer).toString('utf8') };
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const details = error instanceof GatewayError ? error.details.map(({ message }) => message) : [];
    const texts = [...details, error.message];
    const record = texts.map(readErrorRecord).find((each) => each !== undefined);
    return record === undefined ? { rejected: texts.join('; ') } : { error: record };
  }
}
