import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SuspensionSubject } from '../../protocol/ledger.ts';
import { HOSPITALS, pause, World } from '../testing/world.ts';

let world: World;
beforeEach(async () => {
  world = await World.found();
  await world.start();
});
afterEach(() => world.close());

let nonce = 0;
const auditor = (type: 'suspend' | 'reinstate', subject: SuspensionSubject) =>
  world.act('audit', { type, subject, reason: 'an inquiry', nonce: (++nonce).toString(16).padStart(64, '0') });
/** What the stream of a query's events says until these words come; fails when they do not. */
const events = async (query: string, awaited: string): Promise<string> => {
  const response = await fetch(`${world.url}/v1/queries/${query}/events`, { signal: AbortSignal.timeout(20_000) });
  let text = '';
  for await (const chunk of response.body!) {
    text += Buffer.from(chunk as Uint8Array).toString();
    if (text.includes(awaited)) break;
  }
  return text;
};

describe('while an auditor suspends', () => {
  it('a query, no session is formed for it, and whoever waits is told', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.submit();
    for (const hospital of HOSPITALS.slice(1)) await world.act(hospital, { type: 'approveQuery', query });
    await auditor('suspend', { query });
    await world.act('east', { type: 'denyQuery', query, reason: 'no' });
    await pause(600);
    expect(world.ledger.query(query)).toMatchObject({ status: 'submitted', sessions: [] });
    expect(await events(query, '"why"')).toContain('"why":"suspension"');
    await auditor('reinstate', { query });
    await world.session(query);
  });

  it('its researcher, neither', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.submit();
    await auditor('suspend', { organisation: 'rita' });
    await expect(world.act('north', { type: 'approveQuery', query })).rejects.toMatchObject({ code: 'SUSPENDED' });
    await pause(300);
    expect(world.ledger.query(query)!.sessions).toEqual([]);
  });

  it('a hospital, sessions are formed without it', async () => {
    await world.connectAll(HOSPITALS);
    const query = await world.submit();
    for (const hospital of HOSPITALS.slice(1)) await world.act(hospital, { type: 'approveQuery', query });
    await auditor('suspend', { organisation: 'north' });
    await world.act('east', { type: 'approveQuery', query });
    expect(world.ledger.session(await world.session(query))!.roster).toEqual(['east', 'south', 'west']);
  });

  it('so many that too few are left, they are waited for, and the query is not given up', async () => {
    await world.connectAll(['east', 'north']);
    const query = await world.submit(['east', 'north']);
    await world.act('east', { type: 'approveQuery', query });
    await world.act('north', { type: 'approveQuery', query });
    const session = await world.session(query);
    await auditor('suspend', { organisation: 'north' });
    expect(await world.ended(session)).toBe('SUSPENDED');
    await pause(600);
    expect(world.ledger.query(query)).toMatchObject({ status: 'submitted', sessions: [session] });
    await auditor('reinstate', { organisation: 'north' });
    expect(world.ledger.session(await world.session(query, 1))!.roster).toEqual(['east', 'north']);
  });

  it('a query whose session is open, the session ends', async () => {
    await world.connectAll(HOSPITALS);
    const session = await world.session(await world.approved());
    await auditor('suspend', { query: world.ledger.session(session)!.query });
    expect(await world.ended(session)).toBe('SUSPENDED');
  });

  it('a query whose shares are out, its session stays open', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const query = await world.approved();
    const session = await world.session(query);
    hospitals.forEach((hospital) => hospital.status(session, 'opened'));
    expect(await events(query, '"opened"')).toContain('"opened"');
    await auditor('suspend', { query });
    await pause(600);
    expect(world.ledger.session(session)!.status).toBe('open');
  });
});
