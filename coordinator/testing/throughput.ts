import { MAX_PAYLOAD } from '../../protocol/frame.ts';
import { runTraffic } from './traffic.ts';
import { World } from './world.ts';

/** Measures the relay on loopback: `node coordinator/testing/throughput.ts`. The two hospitals run in a second thread. */
const world = await World.found();
await world.start({
  limits: { framesPerSecond: 1e9, bytesPerSecond: 1e12 },
  deadlines: { dropOut: 600_000, join: 10, session: 600_000 },
});
const roster = ['north', 'south', 'west'];

for (const [bytes, frames] of [
  [100, 400_000],
  [1024, 300_000],
  [16 * 1024, 60_000],
  [MAX_PAYLOAD, 8000],
] as const) {
  await world.connectAll(roster);
  const session = await world.session(await world.approved(roster));
  const cpu = process.cpuUsage();
  const seconds = await runTraffic(world, session, roster, { frames, bytes });
  const { user, system } = process.cpuUsage(cpu);
  const rate = Math.round(frames / seconds).toLocaleString('en');
  const megabytes = Math.round((frames * bytes) / seconds / 1e6);
  const pauses = await world.metric('healthchain_paused_total{cause="slow receiver"}');
  console.log(
    pauses,
    `${bytes} B: ${rate} frames/s, ${megabytes} MB/s (process CPU ${((user + system) / 1e6 / seconds).toFixed(2)})`,
  );
}
await world.close();
