import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { Identity } from '../../protocol/identity.ts';
import type { Member } from '../ledger.ts';
import { found, signAction } from '../sign.ts';
import { actions, hex, organisation, schema } from '../testing/world.ts';
import type { FabricLedger } from './ledger.ts';
import { connectTo } from './testing/ledgers.ts';
import { fabric, ownNetwork, PATIENCE, type OwnNetwork } from './testing/network.ts';

const member = (name: string): Member => ({ organisation: name, identity: Identity.generate() });
const board = member('board');
const relay = member('relay');
const rita = member('rita');
const hospitals = Array.from({ length: 20 }, (_, i) => member(`h${String(i).padStart(2, '0')}`));
const names = hospitals.map((each) => each.organisation);
const msp = 'OfficeMSP';
const founding = found({
  name: 'Test of faults',
  founder: board,
  organisations: [
    { ...organisation('board', ['admin'], board.identity), msp },
    { ...organisation('relay', ['coordinator'], relay.identity), msp },
    { ...organisation('rita', ['researcher'], rita.identity), msp },
    ...hospitals.map((each) => ({ ...organisation(each.organisation, ['hospital'], each.identity), msp })),
  ],
});

describe.skipIf(fabric === undefined)('a member of a network of which parts fail', { timeout: PATIENCE }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'healthchain-faults-'));
  const state = join(folder, 'member');
  let network: OwnNetwork;
  let ledger: FabricLedger;
  let version = 0;

  beforeAll(async () => {
    network = await ownNetwork('faults', { channels: ['consortium'] });
    ledger = await connect();
    await next();
  }, PATIENCE);
  afterAll(async () => {
    await ledger.close();
    await network.remove();
    rmSync(folder, { recursive: true });
  }, PATIENCE);
  afterEach(() => expect(ledger.waiting).toBe(0));

  const connect = () => connectTo(network.description, { folder: state, founding, deadlineMs: 3 * PATIENCE });
  /** One more action, which nothing but its place in the line tells from the one before. */
  const next = () => ledger.submit(board, { type: 'registerSchema', schema: schema(++version) });
  const restarted = async (name: string, act: () => Promise<void>): Promise<void> => {
    await network.kill(name);
    try {
      await act();
    } finally {
      await network.restart(name);
    }
  };
  /** Hands in actions each of which rests on the one before, which the network does not take now. */
  const duringOutage = async (count: number) => {
    const sending = [next()];
    await expect.poll(() => ledger.isDown, { timeout: PATIENCE / 2 }).toBe(true);
    while (sending.length < count) sending.push(next());
    await expect.poll(inOutbox, { timeout: PATIENCE / 2 }).toBe(count);
    return { sending };
  };
  const inOutbox = () => readdirSync(join(state, 'outbox')).length;

  it('notices nothing of a peer that dies and is not its gateway', () =>
    restarted('peer-authority', async () => {
      for (let k = 0; k < 5; k++) await next();
    }));

  it('goes on through another gateway when its own dies', () =>
    restarted('peer-office', async () => {
      for (let k = 0; k < 5; k++) await next();
    }));

  it('goes on when a chaincode dies', () =>
    restarted('chaincode-north', async () => {
      for (let k = 0; k < 5; k++) await next();
    }));

  it('keeps what it cannot send, and sends it when the orderers are back', async () => {
    await network.kill('orderer1');
    const { sending } = await duringOutage(3);
    await network.restart('orderer1');
    const places = await Promise.all(sending);
    expect(places.map(({ index }) => index - places[0]!.index)).toEqual([0, 1, 2]);
    expect(inOutbox()).toBe(0);
  });

  it('sends after its own restart, in order and once, what it could not send before', async () => {
    await network.kill('orderer1');
    const before = ledger.head().size;
    const { sending } = await duringOutage(2);
    const settled = Promise.allSettled(sending);
    await ledger.close();
    expect((await settled).map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(inOutbox()).toBe(2);
    await network.restart('orderer1');
    ledger = await connect();
    await expect.poll(() => ledger.head().size, { timeout: PATIENCE / 2 }).toBe(before + 2);
    expect(ledger.schemas('heart').map((each) => each.version)).toEqual(
      Array.from({ length: version }, (_, i) => i + 1),
    );
    await expect.poll(inOutbox).toBe(0);
  });

  it('finds everything again after all was stopped', async () => {
    await network.down();
    const head = ledger.head();
    await ledger.close();
    await network.up();
    ledger = await connect();
    expect(ledger.rootAt(head.size)).toBe(head.root);
    await next();
    expect(ledger.head().size).toBe(head.size + 1);
  });

  it(
    'loses nothing and does nothing twice of fifty sessions at once and a thousand approvals that meet',
    async () => {
      const other = await connectTo(network.description, { member: 'north', deadlineMs: PATIENCE / 2 });
      const before = ledger.head().size;
      const asked = await Promise.all(
        Array.from({ length: 50 }, (_, i) =>
          ledger.submit(rita, actions.submit({ hospitals: names, steps: 1, nonce: hex(i + 1) })),
        ),
      );
      const queries = asked.map(({ id }) => id);
      expect(new Set(queries).size).toBe(50);
      const each = queries.flatMap((query) => hospitals.map((hospital) => ({ query, hospital })));
      const approve = ({ query, hospital }: (typeof each)[number]) => ledger.submit(hospital, actions.approve(query));
      // Of every tenth the same action is sent twice at once; which of the two gets through is chance.
      const twins = each
        .filter((_, at) => at % 10 === 0)
        .map(({ query, hospital }) => signAction(hospital, ledger.consortium, actions.approve(query)));
      const [approved, again] = await Promise.all([
        Promise.allSettled(each.map(approve)),
        Promise.allSettled(twins.map((signed) => ledger.forward(signed))),
      ]);
      const through = [...approved, ...again].filter(({ status }) => status === 'fulfilled');
      expect(through).toHaveLength(1000);
      for (const outcome of [...approved, ...again])
        if (outcome.status === 'rejected') expect(outcome.reason).toMatchObject({ code: 'ALREADY_DONE' });
      const opened = await Promise.all(queries.map((query) => ledger.submit(relay, actions.open(query, 0, names))));
      expect(new Set(opened.map(({ id }) => id)).size).toBe(50);
      // Its peer may be a block behind: a refresh goes as far as the peer one asks.
      await expect
        .poll(() => other.refresh().then(() => other.head()), { timeout: PATIENCE / 4 })
        .toEqual(ledger.head());
      expect(ledger.head().size).toBe(before + 50 + 1000 + 50);
      for (const query of queries) {
        const record = other.query(query)!;
        expect(record.decisions.map(({ hospital }) => hospital).sort()).toEqual(names);
        expect(record.status).toBe('running');
      }
      expect(inOutbox()).toBe(0);
      await other.close();
    },
    3 * PATIENCE,
  );
});
