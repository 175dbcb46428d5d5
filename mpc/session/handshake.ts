import { ByteWriter, fromHex, toHex } from '../../protocol/bytes.ts';
import { canonicalBytes } from '../../protocol/canonical.ts';
import { ExchangeKey } from '../../protocol/envelope.ts';
import { Abort } from '../../protocol/errors.ts';
import type { Identity } from '../../protocol/identity.ts';
import { LABEL } from '../../protocol/labels.ts';
import { helloDigest, openHello, signHello, type SignedHello } from '../../protocol/session.ts';
import type { RandomSource, Relay } from '../transport.ts';
import { Channel, type PairSecret } from './channel.ts';

/** Everything a party knows of a session before the first message, all of it read from its own view of the ledger. */
export interface SessionSetting {
  readonly session: string;
  readonly self: string;
  /** Sorted. */
  readonly roster: readonly string[];
  /** Active identity keys of each party, from the ledger. */
  readonly identityKeys: (party: string) => readonly string[];
  /** Merkle root at the entry that opened the session. */
  readonly ledger: { readonly size: number; readonly root: string };
}

/**
 * Opens a session: every party sends a fresh X25519 key under its identity; every pair derives its keys
 * (docs/protocol.md §2). Forward secret: the exchange key lives as long as the session.
 *
 * Cost: one round, n-1 frames of about 500 bytes each way, n-1 key agreements and signature checks.
 * Errors: `Abort FORGED_HELLO`, `Abort LEDGER_FORK`, each naming the peer.
 */
export async function openChannel(
  setting: SessionSetting,
  relay: Relay,
  identity: Identity,
  random: RandomSource,
): Promise<Channel> {
  const exchangeKey = ExchangeKey.fromSecret(random(32));
  const own = signHello(identity, {
    session: setting.session,
    party: setting.self,
    exchangeKey: exchangeKey.publicKey,
    ledger: setting.ledger,
  });
  const peers = setting.roster.filter((party) => party !== setting.self);
  const frame = canonicalBytes(own);
  await Promise.all(peers.map((peer) => relay.send(peer, frame)));

  const hellos = new Map<string, SignedHello>([[setting.self, own]]);
  for (const peer of peers) {
    const theirs = openHello(await relay.receive(peer), {
      session: setting.session,
      party: peer,
      activeKeys: setting.identityKeys(peer),
    });
    refuseFork(setting, theirs);
    hellos.set(peer, theirs);
  }
  const digests = new Map([...hellos].map(([party, hello]) => [party, helloDigest(hello)]));
  const theirKey = (peer: string): string => hellos.get(peer)!.hello.exchangeKey;
  const secrets = new Map(
    peers.map((peer) => [peer, derivePair(setting, exchangeKey, { key: theirKey(peer), digests, peer })]),
  );
  return new Channel({ setting, relay, exchangeKey, hellos, secrets });
}

function refuseFork(setting: SessionSetting, theirs: SignedHello): void {
  const { size, root } = theirs.hello.ledger;
  if (size === setting.ledger.size && root === setting.ledger.root) return;
  const party = theirs.hello.party;
  throw new Abort('LEDGER_FORK', `${party} sees another ledger than we do at the entry that opened this session`, {
    party,
    round: 'hello',
    hint: 'Either this party lies or the ledger operator shows its members different ledgers. Compare both exports before going on.',
  });
}

/**
 * Three keys of a pair: one for each direction of its channel and one for its masks, by HKDF over the shared secret,
 * bound to the session and to both hellos, so that keys of two sessions or of a swapped hello never agree.
 */
function derivePair(
  setting: SessionSetting,
  own: ExchangeKey,
  { key, digests, peer }: { key: string; digests: ReadonlyMap<string, Uint8Array>; peer: string },
): PairSecret {
  const [lower, upper] = [setting.self, peer].sort() as [string, string];
  const info = new ByteWriter().text(LABEL.pairKey).fixed(digests.get(lower)!).fixed(digests.get(upper)!).finish();
  const bytes = own.derive(key, fromHex(setting.session, 32), info, 96, peer);
  const upward = bytes.subarray(0, 32);
  const downward = bytes.subarray(32, 64);
  const [send, receive] = setting.self === lower ? [upward, downward] : [downward, upward];
  return { send, receive, mask: bytes.subarray(64, 96) };
}

export const helloDigests = (setting: SessionSetting, hellos: ReadonlyMap<string, SignedHello>): string[] =>
  setting.roster.map((party) => toHex(helloDigest(hellos.get(party)!)));
