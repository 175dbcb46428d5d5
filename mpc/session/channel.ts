import { createHmac } from 'node:crypto';
import { inspect } from 'node:util';
import { ByteWriter, concatBytes, discard, fromHex } from '../../protocol/bytes.ts';
import { Opener, Sealer, type ExchangeKey } from '../../protocol/envelope.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import type { SignedHello } from '../../protocol/session.ts';
import type { Relay, Transport } from '../transport.ts';
import type { SessionSetting } from './handshake.ts';

export interface PairSecret {
  readonly send: Uint8Array;
  readonly receive: Uint8Array;
  readonly mask: Uint8Array;
}

/** Plaintext bytes per sealed frame; longer messages are split. */
const PART = 256 * 1024;
/** A message longer than this is not assembled: nobody may fill our memory. */
export const MESSAGE_LIMIT = 64 * 1024 * 1024;

/**
 * The sealed channels of one party in one session. Implements `Transport`: AES-256-GCM per direction, with session,
 * sender, receiver, round and place in the associated data (docs/protocol.md §2).
 *
 * The relay sees lengths, times, and who talks to whom.
 */
export class Channel implements Transport {
  readonly setting: SessionSetting;
  readonly self: string;
  readonly peers: readonly string[];
  readonly hellos: ReadonlyMap<string, SignedHello>;
  readonly exchangeKey: ExchangeKey;
  readonly #relay: Relay;
  readonly #secrets: ReadonlyMap<string, PairSecret>;
  readonly #sealers: ReadonlyMap<string, Sealer>;
  readonly #openers: ReadonlyMap<string, Opener>;
  /** Where a frame to a peer, and one from it, belongs, as far as all frames of that direction have it in common. */
  readonly #outward: ReadonlyMap<string, Uint8Array>;
  readonly #inward: ReadonlyMap<string, Uint8Array>;

  constructor(parts: {
    setting: SessionSetting;
    relay: Relay;
    exchangeKey: ExchangeKey;
    hellos: ReadonlyMap<string, SignedHello>;
    secrets: ReadonlyMap<string, PairSecret>;
  }) {
    this.setting = parts.setting;
    this.self = parts.setting.self;
    this.peers = parts.setting.roster.filter((party) => party !== this.self);
    this.hellos = parts.hellos;
    this.exchangeKey = parts.exchangeKey;
    this.#relay = parts.relay;
    this.#secrets = parts.secrets;
    this.#sealers = new Map([...parts.secrets].map(([peer, secret]) => [peer, new Sealer(secret.send)]));
    this.#openers = new Map([...parts.secrets].map(([peer, secret]) => [peer, new Opener(secret.receive, peer)]));
    this.#outward = new Map(this.peers.map((peer) => [peer, this.#direction(this.self, peer)]));
    this.#inward = new Map(this.peers.map((peer) => [peer, this.#direction(peer, this.self)]));
  }

  get session(): string {
    return this.setting.session;
  }

  async send(to: string, round: string, message: Uint8Array): Promise<void> {
    const sealer = this.#sealers.get(to)!;
    for (let at = 0, part = 0; at < message.length || part === 0; at += PART, part++) {
      const last = at + PART >= message.length ? 1 : 0;
      const place = placeOf(this.#outward.get(to)!, round, part, last);
      const frame = sealer.seal(message.subarray(at, at + PART), place, Uint8Array.of(last));
      await this.#relay.send(to, frame);
      discard(frame);
    }
  }

  async receive(from: string, round: string): Promise<Uint8Array> {
    const opener = this.#openers.get(from)!;
    const parts: Uint8Array[] = [];
    for (let part = 0, bytes = 0; ; part++) {
      const frame = await this.#relay.receive(from);
      const last = frame[0];
      if (last !== 0 && last !== 1) throw malformed(from, round, 'starts with a byte that is no part mark');
      const plain = opener.open(frame.subarray(1), placeOf(this.#inward.get(from)!, round, part, last));
      discard(frame);
      parts.push(plain);
      bytes += plain.length;
      if (last === 1) return joined(parts);
      // A part that is not the last is full, or a peer could send empty ones for ever.
      if (plain.length !== PART) throw malformed(from, round, 'has a part of the wrong length');
      if (bytes > MESSAGE_LIMIT) throw malformed(from, round, `is longer than ${MESSAGE_LIMIT} bytes`);
    }
  }

  /**
   * The seed of the mask that this party and a peer share for one step, bound to all that the step's transcript
   * holds. Two parties with different transcripts, or a seed of another session or step, do not agree.
   */
  maskSeed(peer: string, transcript: Uint8Array): Uint8Array {
    const mac = createHmac('sha256', this.#secrets.get(peer)!.mask);
    return new Uint8Array(mac.update(new ByteWriter().text(LABEL.maskSeed).fixed(transcript).finish()).digest());
  }

  #direction(from: string, to: string): Uint8Array {
    return new ByteWriter().fixed(fromHex(this.setting.session, 32)).text(from).text(to).finish();
  }

  [inspect.custom](): string {
    return `Channel(${this.self} in ${this.setting.session.slice(0, 8)})`;
  }
}

/** Direction, round (length-prefixed), part (uint32), whether it is the last (one byte). */
function placeOf(direction: Uint8Array, round: string, part: number, last: number): Uint8Array {
  const place = Buffer.allocUnsafe(direction.length + 9 + Buffer.byteLength(round));
  place.set(direction);
  let at = place.writeUInt32BE(place.length - direction.length - 9, direction.length);
  at += place.write(round, at, 'utf8');
  place.writeUInt8(last, place.writeUInt32BE(part, at));
  return place;
}

/** One message of its parts, whose memory goes. */
function joined(parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return parts[0]!;
  const message = concatBytes(...parts);
  parts.forEach(discard);
  return message;
}

const malformed = (party: string, round: string, why: string): Abort =>
  new Abort('FORGED_FRAME', `a message of ${party} ${why}`, { party, round });
