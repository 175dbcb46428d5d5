import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MAX_PAYLOAD } from '../../protocol/frame.ts';
import { runTraffic } from '../testing/traffic.ts';
import { HOSPITALS, until, World } from '../testing/world.ts';

const MEGABYTE = 1024 * 1024;

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

let world: World;
let session: string;
beforeAll(async () => {
  world = await World.found();
  await world.start({ deadlines: { stuck: 3000 } });
  await world.connectAll(HOSPITALS);
  session = await world.session(await world.approved());
});
afterAll(() => world.close());

describe('a slow receiver', () => {
  it('makes its sender wait, and costs the coordinator a bounded backlog', async () => {
    let peak = 0;
    collectGarbage();
    const before = process.memoryUsage().arrayBuffers;
    const watch = setInterval(() => {
      collectGarbage();
      peak = Math.max(peak, process.memoryUsage().arrayBuffers - before);
    }, 100);
    // The hospitals live in another thread: what is measured here is the coordinator's.
    const traffic = {
      frames: Math.ceil((200 * MEGABYTE) / MAX_PAYLOAD),
      bytes: MAX_PAYLOAD,
      gulp: 4 * MEGABYTE,
      // Slow beside any sender, also on a busy machine.
      sleep: 120,
    };
    await runTraffic(world, session, HOSPITALS, traffic);
    clearInterval(watch);
    expect(await world.metric('healthchain_paused_total{cause="slow receiver"}')).toBeGreaterThan(3);
    expect(await world.metric('healthchain_paused_total{cause="rate"}')).toBe(0);
    expect(await world.metric('healthchain_relayed_bytes_total')).toBeGreaterThan(200 * MEGABYTE);
    // A backlog of 4 MiB, what the parser holds, and buffers that V8 frees some time after their collection.
    expect(peak / MEGABYTE).toBeLessThan(48);
  }, 60_000);

  it('is dropped when it takes nothing for too long, and its sender goes on', async () => {
    const [, north, , west] = await world.connectAll(HOSPITALS);
    const other = await world.session(await world.approved());
    west.socket.pause();
    const payload = Buffer.alloc(MAX_PAYLOAD);
    for (let i = 0; i < 100; i++) north.relay(other, 1, 3, payload);
    await until(async () => ((await world.metric('healthchain_closed_total{cause="stuck"}')) === 1 ? true : undefined));
    expect(north.isOpen).toBe(true);
    expect(await world.ended(other)).toBe('DROP_OUT');
  }, 30_000);
});

describe('a fast sender', () => {
  it('is slowed down to its rate, not cut off', async () => {
    await world.kill();
    await world.start({ limits: { framesPerSecond: 5000 }, deadlines: { dropOut: 60_000, join: 10 } });
    const [north, south] = await world.connectAll(['north', 'south', 'west']);
    const other = await world.session(await world.approved(['north', 'south', 'west']));
    let relayed = 0;
    south.socket.on('message', (data: Buffer) => {
      if (data[0] === 0) relayed++;
    });
    const start = performance.now();
    for (let i = 0; i < 20_000; i++) north.relay(other, 0, 1, Buffer.from([i % 256]));
    await until(() => (relayed === 20_000 ? true : undefined));
    // A burst of 10 000 is let through; the others take two seconds.
    expect(performance.now() - start).toBeGreaterThan(1500);
    expect(north.isOpen).toBe(true);
    expect(await world.metric('healthchain_paused_total{cause="rate"}')).toBeGreaterThan(0);
  });
});
