import { inspect } from 'node:util';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { canonicalText, decodeDocument } from '../../protocol/canonical.ts';
import { HealthchainError, Misuse } from '../../protocol/errors.ts';
import { Identity } from '../../protocol/identity.ts';
import { signedAction, type Action, type SignedAction } from '../../protocol/ledger.ts';
import { accessGrant, actions, consentOf, ContractBench, hex, ruledSchema, type MemberName } from '../testing/world.ts';

/** A valid example of each action, with every optional field, by one who may do it; no action can be left out. */
type Example = readonly [MemberName, Action];
let examples: Readonly<Record<Action['type'], Example>>;
let bench: ContractBench;

beforeAll(async () => {
  bench = await ContractBench.found();
  const patient = Identity.generate();
  const schema = ruledSchema({ consent: { basis: 'opt-in', everyMonths: 3 }, release: { minimumHospitals: 2 } });
  const ask = actions.submit({ consentEpoch: '2026-10' });
  const publication = actions.publish(bench.consortium, hex(1));
  examples = {
    createConsortium: ['board', { ...bench.world.founding.action, tier: 'public' } as Action],
    registerOrganisation: ['board', actions.register('lakeside')],
    rotateKey: ['north', bench.rotation('north', Identity.generate())],
    revokeKey: ['board', actions.revoke(bench.world.members.north)],
    registerSchema: ['board', { type: 'registerSchema', schema }],
    submitQuery: ['rita', { ...ask, query: { ...ask.query, cohort: { column: 'age', gte: 40 } } }],
    approveQuery: ['north', actions.approve(hex(1))],
    denyQuery: ['north', actions.deny(hex(1))],
    closeQuery: ['rita', { type: 'closeQuery', query: hex(1), reason: 'WITHDRAWN' }],
    openSession: ['relay', actions.open(hex(1))],
    recordCommitment: ['north', { ...actions.commit(hex(1)), consentEpoch: '2026-10' } as Action],
    recordReceipt: ['rita', actions.receipt(hex(1))],
    abortSession: ['north', actions.abort(hex(1), { blame: 'east', round: 'hello', evidence: hex(2) })],
    suspend: ['audit', actions.suspend({ organisation: 'north' })],
    reinstate: ['audit', actions.reinstate({ query: hex(1) })],
    recordConsent: ['relay', consentOf(patient, bench.consortium, { hospitals: ['north', 'south'] })],
    recordAccess: ['relay', accessGrant(patient, bench.consortium)],
    openConsentEpoch: ['audit', actions.epoch('2026-10')],
    withdrawConsentEpoch: ['audit', actions.withdrawEpoch('2026-10')],
    publishResult: ['rita', { ...publication, link: 'https://example.org/result' } as Action],
  };
});

const decode = (document: unknown): SignedAction =>
  decodeDocument(signedAction, JSON.stringify(document), { what: 'action' });
const TYPES: readonly Action['type'][] = signedAction.shape.action.options.map(
  ({ shape }) => [...shape.type.values][0]!,
);

/** Every place in a document that holds something. */
function placesIn(value: unknown, at: readonly string[] = []): string[][] {
  if (typeof value !== 'object' || value === null) return [];
  return Object.entries(value).flatMap(([key, each]) => [[...at, key], ...placesIn(each, [...at, key])]);
}

/** The document with something else at one place; nothing at all for `undefined`. */
function changed(document: object, place: readonly string[], to: unknown): object {
  const copy = structuredClone(document);
  let holder = copy as Record<string, unknown>;
  for (const key of place.slice(0, -1)) holder = holder[key] as Record<string, unknown>;
  const last = place.at(-1)!;
  if (to === undefined && !Array.isArray(holder)) Reflect.deleteProperty(holder, last);
  else holder[last] = to ?? null;
  return copy;
}

const JUNK: readonly unknown[] = [
  ...[undefined, null, true, -1, 0.5, 2 ** 53, 1e300, '', ' ', '\0', 'x'.repeat(5000), '../..', '__proto__', '*'],
  ...[[], {}, [[]], { constructor: 1 }, Array.from({ length: 3000 }, () => 'north'), 'Ü', '\u{1F600}'],
];

describe('arguments', () => {
  it('of every action are covered', () => {
    expect(Object.keys(examples).sort()).toEqual([...TYPES].sort());
  });

  it.each(TYPES)('of %s: the example decodes, and so does nothing with a key too many', (type) => {
    const signed = bench.sign(...examples[type]);
    expect(canonicalText(decode(signed))).toBe(canonicalText(signed));
    for (const place of [['action'], ['caller'], []]) {
      expect(() => decode(changed(signed, [...place, 'extra'], 1)), place.join()).toThrow(Misuse);
    }
  });

  it.each(TYPES)(
    'of %s that are malformed or oversized are refused before the contract, or by it, and leave no trace',
    async (type) => {
      const [who, action] = examples[type];
      const own = await bench.fork();
      const before = own.state.dump();
      let decoded = 0;
      for (const place of placesIn(action).filter((each) => each.join() !== 'type')) {
        for (const junk of JUNK) {
          const signed = own.sign(who, changed(action, place, junk) as Action);
          const told = `${place.join('.')}: ${inspect(junk).slice(0, 40)}`;
          let known: SignedAction;
          try {
            known = decode(signed);
          } catch (error) {
            expect(error, told).toBeInstanceOf(Misuse);
            expect((error as Misuse).message.length, told).toBeLessThan(600);
            continue;
          }
          decoded += 1;
          const branch = await own.fork();
          try {
            await branch.apply(known);
          } catch (error) {
            expect(error, told).toBeInstanceOf(HealthchainError);
            expect(['Refusal', 'Misuse'], told).toContain((error as HealthchainError).kind);
            expect(branch.state.dump(), told).toEqual(before);
          }
        }
      }
      expect(decoded, 'most junk does not decode').toBeLessThan(placesIn(action).length * JUNK.length * 0.5);
    },
  );

  it('of any kind, changed at random after signing, do nothing', async () => {
    const before = bench.state.dump();
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TYPES), fc.nat(), fc.jsonValue(), async (type, at, junk) => {
        const signed = bench.sign(...examples[type]);
        const places = placesIn(signed).filter(([first]) => first !== 'signature');
        const document = changed(signed, places[at % places.length]!, junk);
        fc.pre(canonicalText(document) !== canonicalText(signed));
        const refused = await Promise.resolve()
          .then(() => bench.apply(decode(document)))
          .then(
            () => undefined,
            (error: unknown) => error,
          );
        expect(refused).toBeInstanceOf(HealthchainError);
        expect(bench.state.dump()).toEqual(before);
      }),
      { numRuns: 300 },
    );
  });
});
