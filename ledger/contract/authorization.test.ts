import { beforeEach, describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import { NO_CONSORTIUM, type Action, type ActionOf, type SignedAction } from '../../protocol/ledger.ts';
import type { RefusalCode } from '../../protocol/errors.ts';
import { signAction } from '../sign.ts';
import { readQueries } from './readers.ts';
import { MemoryState } from './state.ts';
import {
  accessGrant,
  actions,
  consentOf,
  ContractBench,
  hex,
  makeWorld,
  MEMBERS,
  type MemberName,
} from '../testing/world.ts';

const NO = 'NOT_AUTHORIZED';
type Row = Partial<Record<MemberName, 'allowed' | RefusalCode>>;
type Made = (bench: ContractBench, by: MemberName) => Promise<Action>;

const EVERYBODY: Row = Object.fromEntries(MEMBERS.map((name) => [name, 'allowed']));

/** Who may do what; whoever is not listed is refused as not authorized. An action without a row does not compile. */
const MATRIX: Readonly<
  Record<Exclude<Action['type'], 'createConsortium'>, { readonly action: Made; readonly row: Row }>
> = {
  registerOrganisation: {
    action: () => Promise.resolve(actions.register('lakeside')),
    row: { board: 'allowed', senate: 'allowed' },
  },
  rotateKey: {
    action: (bench, by) => Promise.resolve(bench.rotation(by, Identity.generate())),
    row: EVERYBODY,
  },
  revokeKey: {
    action: (bench) => Promise.resolve(actions.revoke(bench.world.members.north)),
    row: { board: 'allowed', senate: 'allowed', north: 'POLICY' },
  },
  registerSchema: {
    action: () => Promise.resolve(actions.schema()),
    row: { board: 'allowed', senate: 'allowed', north: 'allowed', south: 'allowed', east: 'allowed', west: 'allowed' },
  },
  submitQuery: {
    action: async (bench) => {
      await bench.do('board', actions.schema());
      return actions.submit();
    },
    row: { rita: 'allowed', rob: 'allowed' },
  },
  approveQuery: {
    action: async (bench) => actions.approve(await bench.submitted()),
    row: { north: 'allowed', south: 'allowed', east: 'allowed' },
  },
  denyQuery: {
    action: async (bench) => actions.deny(await bench.submitted()),
    row: { north: 'allowed', south: 'allowed', east: 'allowed' },
  },
  openSession: { action: async (bench) => actions.open(await bench.approved()), row: { relay: 'allowed' } },
  recordCommitment: {
    action: async (bench) => actions.commit((await bench.opened()).session),
    row: { north: 'allowed', south: 'allowed', east: 'allowed' },
  },
  recordReceipt: {
    action: async (bench) => {
      const { session } = await bench.opened();
      for (const each of ['north', 'south', 'east'] as const) await bench.do(each, actions.commit(session));
      return actions.receipt(session);
    },
    row: { rita: 'allowed' },
  },
  abortSession: {
    action: async (bench) => actions.abort((await bench.opened()).session),
    row: { relay: 'allowed', north: 'allowed', south: 'allowed', east: 'allowed', rita: 'allowed' },
  },
  closeQuery: {
    // A coordinator gives up, the researcher withdraws.
    action: async (bench, by) => ({
      type: 'closeQuery',
      query: await bench.submitted(),
      reason: by === 'relay' ? 'TOO_FEW_HOSPITALS' : 'WITHDRAWN',
    }),
    row: { relay: 'allowed', rita: 'allowed' },
  },
  suspend: {
    action: () => Promise.resolve(actions.suspend({ organisation: 'north' })),
    row: { audit: 'allowed' },
  },
  reinstate: {
    action: async (bench) => {
      await bench.do('audit', actions.suspend({ query: await bench.submitted() }));
      return actions.reinstate({ query: (await readQueries(bench.state))[0]!.id });
    },
    row: { audit: 'allowed' },
  },
  recordConsent: {
    action: (bench) => Promise.resolve(consentOf(Identity.generate(), bench.consortium)),
    row: EVERYBODY,
  },
  recordAccess: {
    action: (bench) => Promise.resolve(accessGrant(Identity.generate(), bench.consortium)),
    row: EVERYBODY,
  },
  openConsentEpoch: {
    action: () => Promise.resolve(actions.epoch('2026-12')),
    row: { board: 'allowed', senate: 'allowed', audit: 'allowed' },
  },
  withdrawConsentEpoch: {
    action: async (bench) => {
      await bench.do('audit', actions.epoch('2026-12'));
      return actions.withdrawEpoch('2026-12');
    },
    row: { board: 'allowed', senate: 'allowed', audit: 'allowed' },
  },
  publishResult: {
    action: async (bench) => actions.publish(bench.consortium, (await bench.completed()).session),
    row: { rita: 'allowed' },
  },
};

let founded: ContractBench;
beforeEach(async () => {
  founded = await ContractBench.found();
});

async function refused(bench: ContractBench, signed: SignedAction, code: RefusalCode): Promise<void> {
  const before = bench.state.dump();
  await expect(bench.apply(signed)).rejects.toMatchObject({ name: 'Refusal', code });
  expect(bench.state.dump(), 'a refused action leaves the state as it was').toEqual(before);
}

describe.each(Object.entries(MATRIX))('%s', (type, { action, row }) => {
  it.each(MEMBERS.map((name) => [name, row[name] ?? NO] as const))('by %s: %s', async (name, expected) => {
    const made = await action(founded, name);
    expect(made.type).toBe(type);
    const signed = founded.sign(name, made);
    if (expected !== 'allowed') return refused(founded, signed, expected);
    await founded.apply(signed);
    // Whatever took effect does not take effect again, however it is signed.
    const again = type === 'rotateKey' ? 'BAD_SIGNATURE' : 'ALREADY_DONE';
    await refused(founded, signed, again);
  });
});

/** By those who may do it, had they shown who they are. */
describe.each(Object.entries(MATRIX))('%s, for one who may,', (_type, { action, row }) => {
  const rightful = MEMBERS.filter((name) => row[name] === 'allowed');
  const other = (name: MemberName): MemberName => (name === 'south' ? 'north' : 'south');

  it.each(rightful)('%s: is not done with a key of another, nor by another for it', async (name) => {
    const made = await action(founded, name);
    const { members } = founded.world;
    const theirs = { organisation: name, identity: members[other(name)].identity };
    await refused(founded, founded.sign(theirs, made), 'BAD_SIGNATURE');
    const signed = founded.sign(other(name), made);
    const caller = { organisation: name, publicKey: members[name].identity.publicKey };
    await refused(founded, { ...signed, caller }, 'BAD_SIGNATURE');
    await refused(founded, { ...signed, caller: { ...signed.caller, organisation: name } }, 'BAD_SIGNATURE');
  });

  it.each(rightful)('%s: is not done with a key that was revoked, nor for another consortium', async (name) => {
    const made = await action(founded, name);
    const elsewhere = signAction(founded.world.members[name], hex(99), made);
    await refused(founded, elsewhere, 'UNKNOWN');
    await refused(founded, { ...elsewhere, consortium: founded.consortium }, 'BAD_SIGNATURE');
    const admin = name === 'board' ? 'senate' : 'board';
    await founded.do(admin, actions.revoke(founded.world.members[name]));
    await refused(founded, founded.sign(name, made), 'BAD_SIGNATURE');
  });

  it.each(rightful)('%s: is not done while it is suspended', async (name) => {
    const second = { organisation: 'audit-2', identity: Identity.generate() };
    await founded.do('board', actions.register('audit-2', ['auditor'], second.identity));
    const made = await action(founded, name);
    await founded.do(second, actions.suspend({ organisation: name }, hex(90)));
    await refused(founded, founded.sign(name, made), 'SUSPENDED');
    await founded.do(second, actions.reinstate({ organisation: name }, hex(91)));
    await founded.do(name, made);
  });
});

describe('the caller', () => {
  const forgeries: Record<string, [RefusalCode, (bench: ContractBench) => SignedAction]> = {
    'bad-signature': [
      'BAD_SIGNATURE',
      (bench) => ({ ...bench.sign('board', actions.schema()), signature: hex(1, 64) }),
    ],
    'bad-action-changed-after-signing': [
      'BAD_SIGNATURE',
      (bench) => ({ ...bench.sign('board', actions.schema()), action: actions.schema(1, 5) }),
    ],
    'bad-signature-by-another-member': [
      'BAD_SIGNATURE',
      (bench) => ({
        ...bench.sign('board', actions.schema()),
        signature: bench.sign('senate', actions.schema()).signature,
      }),
    ],
    'bad-key-of-another-member': [
      'BAD_SIGNATURE',
      (bench) => bench.sign({ organisation: 'board', identity: bench.world.members.rita.identity }, actions.schema()),
    ],
    'bad-unknown-key': [
      'BAD_SIGNATURE',
      (bench) => bench.sign({ organisation: 'board', identity: Identity.generate() }, actions.schema()),
    ],
    'bad-unknown-organisation': [
      'UNKNOWN',
      (bench) => bench.sign({ organisation: 'nobody', identity: Identity.generate() }, actions.schema()),
    ],
    'bad-consortium': ['UNKNOWN', (bench) => signAction(bench.world.members.board, hex(1), actions.schema())],
    'bad-consortium-exchanged': [
      'BAD_SIGNATURE',
      (bench) => ({
        ...signAction(bench.world.members.board, hex(1), actions.schema()),
        consortium: bench.consortium,
      }),
    ],
  };
  it.each(Object.entries(forgeries))('%s', async (_name, [code, forge]) => {
    await refused(founded, forge(founded), code);
  });

  it('signs nothing with a revoked key', async () => {
    const { north } = founded.world.members;
    await founded.do('board', actions.revoke(north));
    await refused(founded, founded.sign(north, actions.schema()), 'BAD_SIGNATURE');
  });

  it('signs with the new key after a rotation, not with the old', async () => {
    const next = Identity.generate();
    await founded.do('north', founded.rotation('north', next));
    await refused(founded, founded.sign('north', actions.schema()), 'BAD_SIGNATURE');
    await founded.do({ organisation: 'north', identity: next }, actions.schema());
  });

  it('does not rotate to a key that did not sign, or that is taken, or was', async () => {
    const { north, south } = founded.world.members;
    const proofOfAnother = founded.rotation('south', Identity.generate());
    await refused(founded, founded.sign(north, proofOfAnother), 'BAD_SIGNATURE');
    await refused(founded, founded.sign(north, founded.rotation('north', south.identity)), 'ALREADY_DONE');
    await refused(founded, founded.sign(north, founded.rotation('north', north.identity)), 'ALREADY_DONE');
  });

  it('revokes no unknown and no revoked key', async () => {
    const { north, south } = founded.world.members;
    const foreign = actions.revoke({ organisation: 'north', identity: south.identity });
    await refused(founded, founded.sign('board', foreign), 'UNKNOWN');
    await founded.do('board', actions.revoke(north));
    await refused(founded, founded.sign('senate', actions.revoke(north)), 'ALREADY_DONE');
  });

  it('leaves an admin: none revokes its own last key', async () => {
    await refused(founded, founded.sign('board', actions.revoke(founded.world.members.board)), 'POLICY');
    await founded.do('senate', actions.revoke(founded.world.members.board));
    await refused(founded, founded.sign('senate', actions.revoke(founded.world.members.senate)), 'POLICY');
  });
});

describe('createConsortium', () => {
  it('is the first action and the only one of its kind', async () => {
    await refused(founded, founded.world.founding, 'ALREADY_DONE');
    await refused(founded, founded.sign('board', founded.world.founding.action), 'ALREADY_DONE');
  });

  const world = makeWorld();
  const organisations = [...world.organisations];
  const founding: ActionOf<'createConsortium'> = { type: 'createConsortium', name: 'x', organisations };
  const { board, rita } = world.members;
  const stranger = { organisation: 'stranger', identity: Identity.generate() };
  const [first, second] = world.organisations;
  const cases: Record<string, [RefusalCode, SignedAction]> = {
    'bad-founder-is-no-admin': ['NOT_AUTHORIZED', signAction(rita, NO_CONSORTIUM, founding)],
    'bad-founder-is-not-listed': ['NOT_AUTHORIZED', signAction(stranger, NO_CONSORTIUM, founding)],
    'bad-founder-signs-with-another-key': [
      'BAD_SIGNATURE',
      signAction({ ...board, identity: stranger.identity }, NO_CONSORTIUM, founding),
    ],
    'bad-signature': ['BAD_SIGNATURE', { ...signAction(board, NO_CONSORTIUM, founding), signature: hex(3, 64) }],
    'bad-signed-for-a-consortium': ['STALE', signAction(board, hex(5), founding)],
    'bad-name-listed-twice': [
      'ALREADY_DONE',
      signAction(board, NO_CONSORTIUM, { ...founding, organisations: [first!, { ...second!, id: first!.id }] }),
    ],
    'bad-key-listed-twice': [
      'ALREADY_DONE',
      signAction(board, NO_CONSORTIUM, {
        ...founding,
        organisations: [first!, { ...second!, publicKey: first!.publicKey }],
      }),
    ],
    'bad-other-action-first': ['STALE', signAction(board, NO_CONSORTIUM, actions.schema())],
  };
  it.each(Object.entries(cases))('%s', async (_name, [code, signed]) => {
    const empty = await ContractBench.found();
    empty.state = new MemoryState();
    await refused(empty, signed, code);
  });
});
