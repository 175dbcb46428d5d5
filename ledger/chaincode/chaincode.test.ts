import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { canonicalText } from '../../protocol/canonical.ts';
import { Identity } from '../../protocol/identity.ts';
import { entryHash } from '../../protocol/ledger-text.ts';
import { type Action, type Organisation, type SignedAction } from '../../protocol/ledger.ts';
import { readErrorRecord } from './testing/errors.ts';
import { signAction, found } from '../sign.ts';
import { actions, ASKED, makeWorld, organisation, type MemberName } from '../testing/world.ts';
import type { Creator } from './caller.ts';
import type { Response } from './chaincode.ts';
import { ChannelInMemory } from './testing/stub.ts';

const MSP: Readonly<Record<MemberName, string>> = {
  board: 'OfficeMSP',
  senate: 'OfficeMSP',
  north: 'NorthMSP',
  south: 'SouthMSP',
  east: 'NorthMSP',
  west: 'WestMSP',
  rita: 'OfficeMSP',
  rob: 'OfficeMSP',
  audit: 'AuthorityMSP',
  relay: 'OfficeMSP',
};
const world = makeWorld();
const organisations = world.organisations.map((each): Organisation => ({
  ...each,
  msp: MSP[each.id as MemberName],
}));
const founding = found({ name: 'Test consortium', organisations, founder: world.members.board });
const member = (who: MemberName): Creator => ({ mspId: MSP[who], organisation: undefined });
const text = ({ payload }: Response): string => Buffer.from(payload).toString('utf8');

let channel: ChannelInMemory;
let consortium: string;
beforeEach(async () => {
  channel = new ChannelInMemory();
  expect(await channel.apply(member('board'), founding)).toMatchObject({ status: 200 });
  consortium = entryHash({ index: 0, previous: '0'.repeat(64), time: channel.now, signed: founding });
});

const sign = (who: MemberName, action: Action): SignedAction => signAction(world.members[who], consortium, action);
async function does(who: MemberName, action: Action): Promise<{ id: string }> {
  const response = await channel.apply(member(who), sign(who, action));
  expect(response.message).toBe('');
  return JSON.parse(text(response)) as { id: string };
}
/** The call fails with this error, and leaves state and events as they were. */
async function fails(call: () => Promise<Response>, error: object): Promise<void> {
  const [keys, events] = [channel.keys, channel.events.length];
  const response = await call();
  expect(response.status).toBe(500);
  expect(readErrorRecord(response.message)).toMatchObject(error);
  expect(channel.keys).toEqual(keys);
  expect(channel.events).toHaveLength(events);
}
const refuses = (creator: Creator, signed: SignedAction, code = 'NOT_AUTHORIZED'): Promise<void> =>
  fails(() => channel.apply(creator, signed), { kind: 'Refusal', code });

describe('an action', () => {
  it('founds a consortium whose id readers of the block derive', async () => {
    expect(text(await channel.call(member('rita'), 'consortium'))).toBe(
      canonicalText({ id: consortium, name: 'Test consortium' }),
    );
  });
  it('answers the id that it made, and tells what it changed in one event', async () => {
    await does('board', actions.schema());
    const { id } = await does('rita', actions.submit());
    expect(channel.events.map(({ name }) => name)).toEqual(['createConsortium', 'registerSchema', 'submitQuery']);
    expect(JSON.parse(channel.events[2]!.payload)).toMatchObject({ id, events: [{ record: 'query', id }] });
  });
  it('is refused as the contract refuses it', async () => {
    await refuses(member('rita'), sign('rita', actions.schema()));
    await does('board', actions.schema());
    await refuses(member('board'), sign('board', actions.schema()), 'ALREADY_DONE');
    await refuses(
      member('board'),
      { ...sign('board', actions.schema(2)), signature: '0'.repeat(128) },
      'BAD_SIGNATURE',
    );
    expect(channel.failures).toEqual([]);
  });
});

describe('who submits', () => {
  it.each(['NorthMSP', 'SouthMSP', 'AuthorityMSP', 'OrdererMSP', ''])('is no identity of %j for the board', (mspId) =>
    refuses({ mspId, organisation: undefined }, sign('board', actions.schema())),
  );
  it('carries no action of another hospital, not even a signed one', async () => {
    await does('board', actions.schema());
    const { id } = await does('rita', actions.submit());
    await refuses(member('north'), sign('south', actions.approve(id)));
    await does('south', actions.approve(id));
  });
  it('is the organisation that its certificate names, where it names one', async () => {
    const as = (organisation: string) => ({ mspId: 'OfficeMSP', organisation });
    const schema = sign('board', actions.schema());
    await fails(() => channel.apply(as('rita'), schema), { code: 'NOT_AUTHORIZED', party: 'board' });
    expect(await channel.apply(as('board'), schema)).toMatchObject({ status: 200 });
    expect(await channel.apply(as('rita'), sign('rita', actions.submit()))).toMatchObject({ status: 200 });
  });
  it('founds as the founder alone', async () => {
    channel = new ChannelInMemory();
    await refuses(member('north'), founding);
    await refuses({ mspId: 'OfficeMSP', organisation: 'rita' }, founding);
    await channel.apply(member('board'), founding);
    expect(channel.keys).toContain('consortium');
  });
  it('is named for every organisation, first ones and later ones', async () => {
    const unnamed = organisation('lakeside', ['hospital'], Identity.generate());
    await refuses(member('board'), sign('board', { type: 'registerOrganisation', organisation: unnamed }));
    await does('board', { type: 'registerOrganisation', organisation: { ...unnamed, msp: 'LakeMSP' } });
    channel = new ChannelInMemory();
    await refuses(member('board'), world.founding);
  });
  it('is left to the contract where the ledger does not know the caller', async () => {
    const stranger = { organisation: 'nobody', identity: Identity.generate() };
    await refuses(member('north'), signAction(stranger, consortium, actions.schema()), 'UNKNOWN');
  });
});

describe('arguments', () => {
  const call = (...args: (string | Uint8Array)[]) => channel.call(member('board'), ...args);
  const signed = (): string => canonicalText(sign('board', actions.schema()));
  const bad: Record<string, [() => (string | Uint8Array)[], object]> = {
    'bad-function': [() => ['destroy'], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-no-function': [() => [], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-no-argument': [() => ['apply'], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-second-argument': [() => ['apply', signed(), ''], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-not-json': [() => ['apply', '{'], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-not-an-action': [() => ['apply', '{}'], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-white-space': [() => ['apply', ` ${signed()}`], { kind: 'Misuse', code: 'NOT_CANONICAL' }],
    'bad-key-order': [
      () => ['apply', JSON.stringify(Object.fromEntries(Object.entries(JSON.parse(signed()) as object).reverse()))],
      { kind: 'Misuse', code: 'NOT_CANONICAL' },
    ],
    'bad-unknown-field': [() => ['apply', `{"a":1,${signed().slice(1)}`], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-utf-8': [
      () => ['apply', Buffer.concat([Buffer.from(signed().slice(0, 40)), Buffer.from([0xff])])],
      { kind: 'Misuse', code: 'MALFORMED' },
    ],
    'bad-oversized-action': [() => ['apply', 'x'.repeat((1 << 20) + 5000)], { kind: 'Refusal', code: 'TOO_LARGE' }],
    'bad-oversized-id': [() => ['read', 'query', 'x'.repeat(1001)], { kind: 'Refusal', code: 'TOO_LARGE' }],
    'bad-characters': [() => ['read', 'query', '\u0000a'], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-record': [() => ['read', 'toString', 'x'], { kind: 'Misuse', code: 'MALFORMED' }],
    'bad-trace': [() => ['trace', 'everything', 'x'], { kind: 'Misuse', code: 'MALFORMED' }],
  };
  it.each(Object.entries(bad))('%s', (_name, [args, error]) => fails(() => call(...args()), error));

  it('of an id nobody has, answer nothing', async () => {
    expect(text(await call('read', 'query', 'f'.repeat(64)))).toBe('');
    expect(text(await call('read', 'organisation', 'nobody'))).toBe('');
    expect(text(await new ChannelInMemory().call(member('board'), 'consortium'))).toBe('');
  });
});

it('has the version of the package that carries it', () => {
  const version = (path: string): unknown =>
    (JSON.parse(readFileSync(join(import.meta.dirname, path), 'utf8')) as { version: unknown }).version;
  expect(version('package/package.json')).toBe(version('../../package.json'));
});

it('reads records as every reader sees them', async () => {
  const answer = JSON.parse(text(await channel.call(member('rita'), 'read', 'organisation', 'north'))) as object;
  const { publicKey } = world.members.north.identity;
  expect(answer).toMatchObject({ id: 'north', msp: 'NorthMSP', keys: [{ publicKey, status: 'active' }] });
});

it('reads every kind of record that events name', async () => {
  for (const record of ['organisation', 'schema', 'query', 'session', 'patient', 'epoch', 'publication']) {
    expect(await channel.call(member('rita'), 'read', record, 'f'.repeat(64))).toMatchObject({ status: 200 });
  }
});

it('traces a query from submission to receipt', async () => {
  await does('board', actions.schema());
  const { id: query } = await does('rita', actions.submit());
  const hospitals = ASKED as MemberName[];
  for (const hospital of hospitals) await does(hospital, actions.approve(query));
  const { id: session } = await does('relay', actions.open(query));
  for (const hospital of hospitals) await does(hospital, actions.commit(session));
  await does('rita', actions.receipt(session));
  const steps = JSON.parse(text(await channel.call(member('audit'), 'trace', 'query', query))) as {
    time: string;
    key: string;
    transaction: string;
  }[];
  const kinds = steps.map(({ key }) => key.split('/')[0]!);
  expect(kinds[0]).toBe('query');
  expect(kinds.filter((kind) => kind === 'approval')).toHaveLength(3);
  expect(kinds.filter((kind) => kind === 'commitment')).toHaveLength(3);
  expect(kinds.slice(-3).sort()).toEqual(['query-state', 'receipt', 'session-state']);
  expect(steps.map(({ time }) => time)).toEqual(steps.map(({ time }) => time).sort());
  expect(new Set(steps.map(({ transaction }) => transaction)).size).toBe(9);
});
