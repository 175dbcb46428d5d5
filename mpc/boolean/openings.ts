import { concatBytes } from '../../protocol/bytes.ts';
import type { RandomSource, Transport } from '../transport.ts';
import type { AuthenticatedBits } from './bits.ts';
import { Broadcasts } from './broadcast.ts';
import { FINGERPRINT_BYTES, shareOfFingerprint } from './fingerprint.ts';
import { FIRST_COMMITMENT, MacCheck } from './mac-check.ts';
import { addToTags, xorAll, xorBytes } from './tags.ts';
import { multiply as multiplyElements } from './universal-hash.ts';
import { ZeroShares } from './zero-share.ts';

/**
 * What one party opens with the others in a session: bits and fingerprints, each with what it adds to the MAC check, which is run
 * before a value is returned. Whether bits may be opened is for `BooleanSession` to say.
 */
export class Openings {
  readonly broadcasts: Broadcasts;
  readonly check: MacCheck;
  readonly #zeros: ZeroShares;
  readonly #key: Uint8Array;
  #begun = false;

  /** `key`: this party's share of the global key. */
  constructor(transport: Transport, key: Uint8Array, random: RandomSource, name: string) {
    this.broadcasts = new Broadcasts(transport, name);
    this.check = new MacCheck(this.broadcasts, random);
    this.#zeros = new ZeroShares(transport, random);
    this.#key = key;
  }

  /** One broadcast. The session's first carries commitments to the first coin, and aside the seeds of shares of zero. */
  async broadcast(message: Uint8Array, lengthFrom?: (place: number) => number): Promise<readonly Uint8Array[]> {
    const { roster } = this.broadcasts;
    const length = (party: string): number => lengthFrom?.(roster.indexOf(party)) ?? message.length;
    if (this.#begun) return (await this.broadcasts.round(message, length)).messages;
    this.#begun = true;
    const { messages, asides } = await this.broadcasts.round(
      concatBytes(this.check.firstCommitment, message),
      (party) => FIRST_COMMITMENT + length(party),
      this.#zeros.aside,
    );
    this.check.begin(messages.map((sent) => sent.subarray(0, FIRST_COMMITMENT)));
    this.#zeros.begin(asides);
    return messages.map((sent) => sent.subarray(FIRST_COMMITMENT));
  }

  /** The values of these bits, packed, checked. Errors: see `MacCheck.run`. */
  async open(shares: readonly AuthenticatedBits[]): Promise<Uint8Array[]> {
    const message = concatBytes(...shares.map(({ bits }) => bits));
    const opened = await this.#sum(message);
    let at = 0;
    const values = shares.map(({ bits }) => opened.slice(at, (at += bits.length)));
    shares.forEach(({ tags }, i) => {
      const left = Uint8Array.from(tags);
      addToTags(left, values[i]!, this.#key);
      this.check.add(left);
    });
    await this.check.run();
    return values;
  }

  /** A fingerprint of each, checked, and the key of them all. Errors: see `MacCheck.run`. */
  async openFingerprints(bits: readonly AuthenticatedBits[]): Promise<{ key: Uint8Array; fingerprints: Uint8Array[] }> {
    await this.#begin();
    const key = (await this.check.tossCoin()).subarray(0, FINGERPRINT_BYTES);
    const shares = bits.map((each) => shareOfFingerprint(key, each));
    const opened = await this.#sum(concatBytes(...shares.map(({ value }) => value)));
    const fingerprints = shares.map(({ tag }, i) => {
      const value = opened.slice(FINGERPRINT_BYTES * i, FINGERPRINT_BYTES * (i + 1));
      xorBytes(tag, tag, multiplyElements(value, this.#key));
      this.check.add(tag);
      return value;
    });
    await this.check.run();
    return { key, fingerprints };
  }

  /** The sum over all parties of a message of each, which a share of zero hides. */
  async #sum(message: Uint8Array): Promise<Uint8Array> {
    await this.#begin();
    this.#zeros.addTo(message);
    return xorAll(await this.broadcast(message));
  }

  /** Where nothing was sent yet, there is no coin and no share of zero before the session's first frame. */
  async #begin(): Promise<void> {
    if (!this.#begun) await this.broadcast(new Uint8Array(0));
  }
}
