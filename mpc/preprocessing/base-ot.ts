import { createHash } from 'node:crypto';
import { concatBytes } from '../../protocol/bytes.ts';
import { hashBytes } from '../../protocol/canonical.ts';
import { Abort } from '../../protocol/errors.ts';
import { LABEL } from '../../protocol/labels.ts';
import { BASE, ELEMENT_BYTES, Elements } from '../kernels/elements.ts';
import { KernelError } from '../kernels/errors.ts';
import type { RandomSource } from '../transport.ts';

/** Bytes of what one transfer carries. */
export const OT_KEY_BYTES = 32;

/** The two keys of one transfer: the sender holds both. */
export type KeyPair = readonly [Uint8Array, Uint8Array];

/**
 * The receiver's side of 1-of-2 transfers of random keys, and its message: two elements a transfer, of which it knows the
 * logarithm behind one (docs/preprocessing.md §2; Masny, Rindal, "Endemic Oblivious Transfer", CCS 2019).
 *
 * A pair of elements (r_0, r_1) fits a secret b for the choice c when r_c + H(r_(1-c)) = b G; r_(1-c) is random, so the
 * pair says nothing about c. `context` names session, receiver and sender.
 */
export class OtReceiver {
  /** 64 bytes a transfer. */
  readonly message: Uint8Array;
  readonly #context: Uint8Array;
  readonly #choices: readonly number[];
  readonly #secrets: Uint8Array;

  constructor(context: Uint8Array, choices: readonly number[], random: RandomSource) {
    this.#context = context;
    this.#choices = choices;
    this.#secrets = randomExponents(random, choices.length);
    const others = Elements.derive(random(64 * choices.length)).encode();
    const hashed = hashToElements(choices.map((choice, t) => oracle(context, t, choice, elementOf(others, t))));
    const chosen = Elements.multiplesOf(BASE, this.#secrets).minus(hashed).encode();
    this.message = concatBytes(
      ...choices.flatMap((choice, t) => inOrder(choice, elementOf(chosen, t), elementOf(others, t))),
    );
  }

  /** The chosen key of each transfer. Errors: `Abort BAD_BASE_OT` for an answer that is no element, or none at all. */
  finish(answer: Uint8Array, sender: string): Uint8Array[] {
    const shared = Elements.multiplesOf(decode(answer, 1, sender), this.#secrets).encode();
    return this.#choices.map((choice, t) =>
      keyOf(this.#context, t, choice, answer, offerOf(this.message, t), elementOf(shared, t)),
    );
  }
}

/**
 * The sender's side: one message a G whatever the number of transfers, and for each transfer the two keys
 *
 *     k_c = hash(a (r_c + H(r_(1-c))))
 *
 * of which the receiver can compute one alone (computational Diffie-Hellman in ristretto255, random oracle).
 */
export class OtSender {
  /** 32 bytes. */
  readonly message: Uint8Array;
  readonly #context: Uint8Array;
  readonly #secret: Uint8Array;

  constructor(context: Uint8Array, random: RandomSource) {
    this.#context = context;
    this.#secret = randomExponents(random, 1);
    this.message = Elements.multiplesOf(BASE, this.#secret).encode();
  }

  /** Errors: `Abort BAD_BASE_OT` for offers that are no elements or not `count` pairs. */
  finish(offers: Uint8Array, count: number, receiver: string): KeyPair[] {
    // r_0 and r_1 of each transfer, and at each place the hash of the other one.
    const elements = decode(offers, 2 * count, receiver);
    const hashed = hashToElements(
      Array.from({ length: 2 * count }, (_, i) => oracle(this.#context, i >> 1, i & 1, elementOf(offers, i ^ 1))),
    );
    const shared = elements.plus(hashed).times(this.#secret).encode();
    const keys = Array.from({ length: 2 * count }, (_, i) => {
      const element = elementOf(shared, i);
      // The order is prime and a is not zero: a (r_c + H(r_(1-c))) is the identity only if the sum is.
      if (isIdentity(element)) throw badOffer(receiver);
      return keyOf(this.#context, i >> 1, i & 1, this.message, offerOf(offers, i >> 1), element);
    });
    return Array.from({ length: count }, (_, t) => [keys[2 * t]!, keys[2 * t + 1]!]);
  }
}

const elementOf = (bytes: Uint8Array, i: number): Uint8Array =>
  bytes.subarray(ELEMENT_BYTES * i, ELEMENT_BYTES * (i + 1));
const offerOf = (offers: Uint8Array, t: number): Uint8Array =>
  offers.subarray(2 * ELEMENT_BYTES * t, 2 * ELEMENT_BYTES * (t + 1));

/** `count` elements, of which none is the identity. */
function decode(bytes: Uint8Array, count: number, party: string): Elements {
  if (bytes.length !== ELEMENT_BYTES * count) throw badOffer(party);
  for (let i = 0; i < count; i++) if (isIdentity(elementOf(bytes, i))) throw badOffer(party);
  try {
    return Elements.decode(bytes);
  } catch (error) {
    if (error instanceof KernelError) throw badOffer(party);
    throw error;
  }
}

/** The encoding of the identity is all zeros. */
const isIdentity = (element: Uint8Array): boolean => element.every((byte) => byte === 0);

const badOffer = (party: string): Abort =>
  new Abort('BAD_BASE_OT', `${party} sent a base transfer that no honest party sends`, { party });

/** The two with the chosen one at its place, byte by byte under a mask: the order does not show in what is executed. */
function inOrder(choice: number, chosen: Uint8Array, other: Uint8Array): [Uint8Array, Uint8Array] {
  const difference = chosen.map((byte, i) => (byte ^ other[i]!) & -choice);
  return [chosen.map((byte, i) => byte ^ difference[i]!), other.map((byte, i) => byte ^ difference[i]!)];
}

/** Numbers of 252 bits: the group's order is 2^252 (1 + 2^-127), so they are uniform below it but for 2^-127. */
function randomExponents(random: RandomSource, count: number): Uint8Array {
  const scalars = random(ELEMENT_BYTES * count);
  for (let end = ELEMENT_BYTES; end <= scalars.length; end += ELEMENT_BYTES) scalars[end - 1]! &= 15;
  return scalars;
}

/** 64 bytes of a random oracle, a separate one for each transfer and choice. */
function oracle(context: Uint8Array, t: number, choice: number, element: Uint8Array): Uint8Array {
  const place = hashBytes(LABEL.baseOt, context, Uint8Array.of(t >> 8, t & 255, choice));
  return createHash('sha512').update(place).update(element).digest();
}

/** Random oracles into the group (RFC 9496, section 4.3.4). */
const hashToElements = (hashes: readonly Uint8Array[]): Elements => Elements.derive(concatBytes(...hashes));

function keyOf(
  context: Uint8Array,
  t: number,
  choice: number,
  answer: Uint8Array,
  offer: Uint8Array,
  shared: Uint8Array,
): Uint8Array {
  return hashBytes(LABEL.baseOt, context, Uint8Array.of(t >> 8, t & 255, choice), answer, offer, shared);
}
