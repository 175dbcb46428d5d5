import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { fromHex } from '../protocol/bytes.ts';
import { canonicalText, decodeCanonical } from '../protocol/canonical.ts';
import { HealthchainError, Misuse } from '../protocol/errors.ts';
import { Identity } from '../protocol/identity.ts';
import { entryHash } from '../protocol/ledger-text.ts';
import { operatorExport, type Entry, type OperatorExport, type SignedAction } from '../protocol/ledger.ts';
import { signHead } from './heads.ts';
import { merkleRoot } from './merkle.ts';
import { signAction } from './sign.ts';
import { linkUnchecked, makeExport } from './testing/chains.ts';
import { actions, hex, type World } from './testing/world.ts';
import { verifyExport } from './verify.ts';

let world: World;
let operator: Identity;
let document: OperatorExport;
let text: string;
beforeAll(async () => {
  ({ world, operator, document } = await makeExport(6));
  text = canonicalText(document);
});

const decode = (input: string): OperatorExport =>
  decodeCanonical(operatorExport, input, { what: 'export', limit: 1 << 24, code: 'BAD_FILE' });

describe('an export', () => {
  it('verifies, and reads as the ledger does', async () => {
    const verified = await verifyExport(decode(text), {
      consortium: document.head.consortium,
      operator: operator.publicKey,
    });
    expect(verified.entries).toEqual(document.entries);
    expect(verified.schema('heart@1')).toBeDefined();
    expect(verified.organisation('member-3')).toBeDefined();
    expect(verified.rootAt(6)).toBe(document.head.root);
  });

  it('does not survive the change of any one digit', async () => {
    const digits = Array.from(text.matchAll(/[0-9]/g), ({ index }) => index);
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: digits.length - 1 }), fc.integer({ min: 1, max: 9 }), async (at, add) => {
        const place = digits[at]!;
        const digit = String((Number(text[place]) + add) % 10);
        const error: unknown = await tamperedResult(text.slice(0, place) + digit + text.slice(place + 1));
        expect(error).toBeInstanceOf(HealthchainError);
      }),
      { numRuns: 400 },
    );
  });

  it('does not survive the change of any one character either', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat({ max: text.length - 1 }), fc.integer({ min: 1, max: 90 }), async (at, add) => {
        const character = String.fromCharCode(32 + ((text.charCodeAt(at) - 32 + add) % 91));
        fc.pre(character !== text[at]);
        expect(await tamperedResult(text.slice(0, at) + character + text.slice(at + 1))).toBeInstanceOf(
          HealthchainError,
        );
      }),
      { numRuns: 400 },
    );
  });

  it('of another consortium or operator than pinned is refused', async () => {
    await expect(verifyExport(document, { consortium: hex(1) })).rejects.toThrow('another consortium');
    await expect(verifyExport(document, { operator: hex(1) })).rejects.toThrow('another key');
  });
});

/** The error of decoding or verifying; what `verifyExport` throws must be ours. */
async function tamperedResult(changed: string): Promise<unknown> {
  let decoded: OperatorExport;
  try {
    decoded = decode(changed);
  } catch {
    return new Misuse('MALFORMED', 'does not decode');
  }
  return verifyExport(decoded).catch((error: unknown) => error);
}

/** What an operator with its own key can try: it signs a correct head over a wrong history. */
function signedBy(key: Identity, entries: readonly Entry[], consortium: string): OperatorExport {
  const root = merkleRoot(entries.map((entry) => fromHex(entryHash(entry), 32)));
  return { ...document, head: signHead(key, { consortium, size: entries.length, root }), entries: [...entries] };
}
const relinked = (signed: readonly SignedAction[]): OperatorExport =>
  signedBy(operator, linkUnchecked(signed, entryHash), document.head.consortium);
const signedOf = (): SignedAction[] => document.entries.map(({ signed }) => signed);

describe('an operator that signs a wrong history is found out', () => {
  const lies: Record<string, [RegExp, () => OperatorExport]> = {
    'bad-entry-dropped': [
      /entry 2 .*claims to be entry 3/,
      () => signedBy(operator, document.entries.toSpliced(2, 1), document.head.consortium),
    ],
    'bad-entries-swapped': [
      /entry 2 .*claims to be entry 3/,
      () => {
        const { 2: second, 3: third } = document.entries;
        return signedBy(operator, document.entries.toSpliced(2, 2, third!, second!), document.head.consortium);
      },
    ],
    'bad-link': [
      /entry 3 .*link/,
      () =>
        signedBy(
          operator,
          document.entries.with(3, { ...document.entries[3]!, previous: hex(1) }),
          document.head.consortium,
        ),
    ],
    'bad-action-changed': [
      /entry 4 .*BAD_SIGNATURE/,
      () => relinked(signedOf().with(4, { ...signedOf()[4]!, action: actions.schema(2) })),
    ],
    'bad-action-made-up': [
      /entry 6 .*BAD_SIGNATURE/,
      () =>
        relinked([
          ...signedOf(),
          signAction({ ...world.members.north, identity: operator }, document.head.consortium, actions.schema(2)),
        ]),
    ],
    'bad-action-not-allowed': [
      /entry 6 .*NOT_AUTHORIZED/,
      () => relinked([...signedOf(), signAction(world.members.rita, document.head.consortium, actions.schema(2))]),
    ],
    'bad-action-repeated': [/entry 6 .*ALREADY_DONE/, () => relinked([...signedOf(), signedOf()[3]!])],
    'bad-not-founded': [/entry 0 .*STALE/, () => relinked(signedOf().slice(1))],
    'bad-founding-of-another': [/founding entry/, () => signedBy(operator, document.entries.slice(0, 1), hex(9))],
    'bad-head-too-large': [
      /6 entries under a tree head of 7/,
      () => ({
        ...document,
        head: signHead(operator, { consortium: document.head.consortium, size: 7, root: new Uint8Array(32) }),
      }),
    ],
    'bad-head-too-small': [
      /not under the tree head/,
      () => ({ ...document, head: signedBy(operator, document.entries.slice(0, 3), document.head.consortium).head }),
    ],
    'bad-root': [
      /do not hash to the root/,
      () => ({
        ...document,
        head: signHead(operator, { consortium: document.head.consortium, size: 6, root: new Uint8Array(32) }),
      }),
    ],
    'bad-head-signature': [
      /signature of the tree head/,
      () => ({ ...document, head: { ...document.head, signature: hex(1, 64) } }),
    ],
    'bad-head-key': [
      /signature of the tree head/,
      () => ({ ...document, head: { ...document.head, publicKey: Identity.generate().publicKey } }),
    ],
  };
  it.each(Object.entries(lies))('%s', async (_name, [message, lie]) => {
    const error: unknown = await verifyExport(lie()).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ name: 'Abort', code: 'FORGED_LEDGER' });
    expect((error as Error).message).toMatch(message);
  });
});

it('replays 1000 entries in about half a second', async () => {
  const { document: large } = await makeExport(1000);
  const start = performance.now();
  await verifyExport(large);
  const elapsed = performance.now() - start;
  expect(elapsed).toBeLessThan(5000); // alone: 0.4 s; other tests share the cores
});
