import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProgressEvent } from '../sessions/events.ts';
import { HOSPITALS, until, World } from '../testing/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.found();
  await world.start();
});
afterAll(() => world.close());

interface Told {
  readonly id: string;
  readonly event: ProgressEvent;
}

/** Listens to a query's progress; `told` grows, `done` resolves when the server ends the stream. */
async function listen(
  query: string,
  lastEventId?: string,
): Promise<{ told: Told[]; done: Promise<void>; stop: () => void }> {
  const gone = new AbortController();
  const response = await fetch(`${world.url}/v1/queries/${query}/events`, {
    signal: gone.signal,
    headers: lastEventId === undefined ? {} : { 'last-event-id': lastEventId },
  });
  expect(response.headers.get('content-type')).toMatch(/^text\/event-stream/);
  const told: Told[] = [];
  const read = async (): Promise<void> => {
    let text = '';
    const decoder = new TextDecoder();
    for await (const part of response.body! as AsyncIterable<Uint8Array>) {
      text += decoder.decode(part, { stream: true });
      const blocks = text.split('\n\n');
      text = blocks.pop()!;
      for (const block of blocks) {
        const fields = Object.fromEntries(
          block.split('\n').map((line) => line.split(/: (.*)/s).slice(0, 2) as [string, string]),
        );
        if (fields['event'] === 'progress')
          told.push({ id: fields['id']!, event: JSON.parse(fields['data']!) as ProgressEvent });
      }
    }
  };
  return { told, done: read().catch(() => undefined), stop: () => gone.abort() };
}
const stages = (told: readonly Told[]): string[] =>
  told.map(({ event }) => ('hospital' in event ? `${event.stage} ${event.hospital}` : event.stage));

describe('progress events', () => {
  it('tell the whole way of a query, live, and end with it', async () => {
    const hospitals = await world.connectAll(HOSPITALS);
    const asked = ['east', 'north'] as const;
    const query = await world.submit(asked);
    const { told, done } = await listen(query);
    for (const hospital of asked) await world.act(hospital, { type: 'approveQuery', query });
    const session = await world.session(query);
    for (const stage of ['joined', 'scanning'] as const)
      for (const each of hospitals.slice(0, 2)) each.status(session, stage);
    await until(() => (stages(told).filter((each) => each.startsWith('scanning')).length === 2 ? true : undefined));
    for (const hospital of asked) await world.commit(hospital, session);
    await until(() => (stages(told).filter((each) => each.startsWith('committed')).length === 2 ? true : undefined));
    for (const stage of ['committed', 'agreed', 'opened'] as const) {
      for (const each of hospitals.slice(0, 2)) each.status(session, stage);
    }
    await until(() => (stages(told).filter((each) => each.startsWith('opened')).length === 2 ? true : undefined));
    await world.receipt(session);
    await done;
    const seen = stages(told).filter((stage) => stage !== 'waiting');
    expect(seen[0]).toBe('submitted');
    expect(seen.slice(1, 3).sort()).toEqual(['approved east', 'approved north']);
    expect(seen[3]).toBe('session');
    for (const stage of ['joined', 'scanning', 'committed', 'agreed', 'opened']) {
      // The hospital's own word on its commitment and the ledger's entry are one event.
      expect(seen.filter((each) => each.startsWith(stage)).sort()).toEqual([`${stage} east`, `${stage} north`]);
    }
    expect(seen.slice(-2)).toEqual(['receipt', 'finished']);
    expect(told.at(-1)!.event).toEqual({ stage: 'finished', status: 'completed' });

    const late = await listen(query);
    await late.done;
    expect(stages(late.told).at(0)).toBe('submitted');
    expect(late.told.at(-1)).toEqual(told.at(-1));
    const resumed = await listen(query, late.told.at(-2)!.id);
    await resumed.done;
    expect(resumed.told).toEqual([told.at(-1)]);
  });

  it('end with a denial', async () => {
    const query = await world.submit(['east', 'north']);
    await world.act('north', { type: 'denyQuery', query, reason: 'no legal basis' });
    const { told, done } = await listen(query);
    await done;
    expect(told.map(({ event }) => event)).toContainEqual({
      stage: 'denied',
      hospital: 'north',
      reason: 'no legal basis',
    });
    expect(told.at(-1)!.event).toEqual({ stage: 'finished', status: 'denied' });
  });

  it('say whom a query waits for, and why a session failed, by code alone', async () => {
    const [east] = await world.connectAll(HOSPITALS);
    const query = await world.submit(['east', 'north', 'south'], 2);
    const { told, stop } = await listen(query);
    const events = (): ProgressEvent[] => told.map(({ event }) => event);
    const hospitals = ['east', 'north', 'south'];
    await until(() => (events().some((each) => each.stage === 'waiting') ? true : undefined));
    expect(events()).toContainEqual({ stage: 'waiting', why: 'decision', hospitals });
    for (const hospital of hospitals) await world.act(hospital, { type: 'approveQuery', query });
    const session = await world.session(query);
    east.status(session, 'failed', 0, { kind: 'Fault', code: 'DATA', message: 'row 17 holds 42' });
    await world.session(query, 1);
    await until(() => (events().filter((each) => each.stage === 'session').length === 2 ? true : undefined));
    const error = { kind: 'Fault', code: 'DATA' };
    expect(events()).toContainEqual({ stage: 'failed', session, hospital: 'east', step: 0, error });
    expect(events()).toContainEqual({ stage: 'aborted', session, reason: 'DATA', by: 'relay' });
    expect(JSON.stringify(events()) + world.logged.join('')).not.toContain('row 17');
    stop();
  });

  it('are told again from the ledger after a restart', async () => {
    const finished = await world.submit(['east', 'north']);
    await world.act('north', { type: 'denyQuery', query: finished, reason: 'no' });
    const waiting = await world.submit(['east', 'north']);
    await world.act('north', { type: 'approveQuery', query: waiting });
    await world.kill();
    await world.start();
    const first = await listen(finished);
    await first.done;
    expect(stages(first.told)).toEqual(['submitted', 'denied north', 'finished']);
    const second = await listen(waiting);
    await until(() => (stages(second.told).includes('waiting') ? true : undefined));
    expect(stages(second.told)).toEqual(['submitted', 'approved north', 'waiting']);
    await world.kill();
    await second.done;
  });
});
