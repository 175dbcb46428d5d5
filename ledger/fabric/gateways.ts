import { readFileSync } from 'node:fs';
import { Client, credentials } from '@grpc/grpc-js';
import { connect, hash, type Contract, type Gateway, type Network } from '@hyperledger/fabric-gateway';
import { Misuse } from '../../protocol/errors.ts';
import type { FabricAddress } from '../address.ts';
import type { ChannelIdentity } from './identity.ts';

/** How long single steps may take before another gateway is tried. */
export interface StepDeadlines {
  readonly endorse: number;
  readonly submit: number;
  readonly evaluate: number;
}

export const DEFAULT_STEPS: StepDeadlines = { endorse: 15_000, submit: 10_000, evaluate: 5000 };

interface Connection {
  readonly endpoint: string;
  readonly client: Client;
  readonly gateway: Gateway;
}

/** A line to one peer's gateway, as its user sees it. */
export interface Line {
  readonly endpoint: string;
  readonly network: Network;
  contract(name: string): Contract;
}

/**
 * The gateways of the configured peers: one is in use, and the next takes its place when it fails. Nobody has to believe any of
 * them: what they deliver is verified, what they answer to a submission is waited for on the verified copy.
 */
export class Gateways {
  readonly #connections: readonly Connection[];
  readonly #channel: string;
  #current = 0;

  constructor(address: FabricAddress, identity: ChannelIdentity, steps: StepDeadlines = DEFAULT_STEPS) {
    this.#channel = address.channel;
    this.#connections = address.gateways.map((gateway) => open(gateway, identity, steps));
  }

  get count(): number {
    return this.#connections.length;
  }

  /** The gateway in use. */
  get line(): Line {
    return this.lineTo(this.#current);
  }

  lineTo(place: number): Line {
    const { endpoint, gateway } = this.#connections[place]!;
    const network = gateway.getNetwork(this.#channel);
    return { endpoint, network, contract: (name) => network.getContract(name) };
  }

  /** Leaves a gateway that failed for the next one; does nothing when somebody else has done so already. */
  leave(line: Line): void {
    if (this.#connections[this.#current]!.endpoint !== line.endpoint) return;
    this.#current = (this.#current + 1) % this.#connections.length;
  }

  close(): void {
    for (const { gateway, client } of this.#connections) {
      gateway.close();
      client.close();
    }
  }
}

function open(of: FabricAddress['gateways'][number], identity: ChannelIdentity, steps: StepDeadlines): Connection {
  const client = new Client(of.endpoint, credentials.createSsl(readRoot(of.tlsRootFile)), {
    // A peer that died without a word is noticed in twenty seconds, not when TCP gives up.
    'grpc.keepalive_time_ms': 60_000,
    'grpc.keepalive_timeout_ms': 20_000,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 3000,
    'grpc.max_receive_message_length': 100 << 20,
    // Each member's connection is its own: two identities of one process must not share a channel by accident.
    'grpc.use_local_subchannel_pool': 1,
    ...(of.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': of.serverName }),
  });
  const gateway = connect({
    client,
    identity: { mspId: identity.mspId, credentials: identity.certificate },
    signer: (message) => Promise.resolve(identity.sign(message)),
    // The platform hashes as it signs, so the signer takes the message itself.
    hash: hash.none,
    endorseOptions: () => ({ deadline: Date.now() + steps.endorse }),
    submitOptions: () => ({ deadline: Date.now() + steps.submit }),
    evaluateOptions: () => ({ deadline: Date.now() + steps.evaluate }),
  });
  return { endpoint: of.endpoint, client, gateway };
}

function readRoot(path: string): Buffer {
  try {
    return readFileSync(path);
  } catch (cause) {
    throw new Misuse('BAD_FILE', `${path} cannot be read`, {
      hint: 'Check ledger.fabric.gateways in the configuration: tlsRootFile is the PEM of the authority of the peer’s TLS certificate.',
      cause,
    });
  }
}
