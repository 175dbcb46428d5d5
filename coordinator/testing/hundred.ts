import { World } from './world.ts';

/** A hundred hospitals, every pair exchanging a frame a round: `node coordinator/testing/hundred.ts`. */
const hospitals = Array.from({ length: 100 }, (_, place) => `h${String(place).padStart(2, '0')}`);
const world = await World.found(Object.fromEntries(hospitals.map((hospital) => [hospital, ['hospital'] as const])));
await world.start();
const peers = await world.connectAll(hospitals);
const session = await world.session(await world.approved(hospitals));
for (const peer of peers) peer.keep = false;
for (let round = 0; round < 5; round++) {
  const start = performance.now();
  const before = peers.reduce((sum, peer) => sum + peer.received, 0);
  const expected = before + 100 * 99 * (41 + 300);
  peers.forEach((peer, from) =>
    peers.forEach((_, to) => from !== to && peer.relay(session, from, to, Buffer.alloc(300))),
  );
  while (peers.reduce((sum, peer) => sum + peer.received, 0) < expected) await new Promise(setImmediate);
  console.log(`round ${round}: 9900 frames in ${Math.round(performance.now() - start)} ms`);
}
await world.close();
