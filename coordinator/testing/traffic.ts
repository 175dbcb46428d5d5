import { setTimeout as pause } from 'node:timers/promises';
import { parentPort, Worker, workerData } from 'node:worker_threads';
import { Identity } from '../../protocol/identity.ts';
import { encodeFrame } from '../../protocol/frame.ts';
import type { World } from './world.ts';
import { TestHospital } from './hospital.ts';

/** Traffic between two hospitals, from a thread of its own, so that only the coordinator is measured in the caller's. */
export interface Traffic {
  readonly frames: number;
  readonly bytes: number;
  /** Bytes that the receiver takes before it sleeps for `sleep` milliseconds; without it, it never sleeps. */
  readonly gulp?: number;
  readonly sleep?: number;
}

interface Job extends Traffic {
  readonly url: string;
  readonly consortium: string;
  readonly session: string;
  readonly roster: readonly string[];
  readonly keys: readonly string[];
}

const BACKLOG = 2 * 1024 * 1024;

/** Sends from the first to the second of the roster; resolves with the seconds until the last frame was received. */
export function runTraffic(world: World, session: string, roster: readonly string[], of: Traffic): Promise<number> {
  const job: Job = {
    ...of,
    ...{ session, roster, url: world.url, consortium: world.ledger.consortium },
    keys: roster.map((hospital) => world.member(hospital).identity.toPem()),
  };
  const worker = new Worker(new URL(import.meta.url), { workerData: job });
  return new Promise((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

async function work(job: Job): Promise<number> {
  const hospitals = await Promise.all(
    job.roster.map((organisation, place) => {
      const identity = Identity.fromPem(job.keys[place]!);
      return TestHospital.connect(job.url, { organisation, identity }, job.consortium);
    }),
  );
  for (const hospital of hospitals) hospital.keep = false;
  const [sender, receiver] = hospitals as [TestHospital, TestHospital];
  const frame = encodeFrame({ type: 'relay', session: job.session, from: 0, to: 1, payload: Buffer.alloc(job.bytes) });
  const all = job.frames * frame.length;
  const start = performance.now();
  const done = new Promise<void>((resolve) => {
    let got = 0;
    let gulp = 0;
    receiver.socket.on('message', (data: Buffer) => {
      if (data[0] !== 0) return;
      got += data.length;
      gulp += data.length;
      if (got >= all) resolve();
      if (job.gulp === undefined || gulp < job.gulp) return;
      gulp = 0;
      receiver.socket.pause();
      setTimeout(() => receiver.socket.resume(), job.sleep);
    });
  });
  for (let i = 0; i < job.frames; i++) {
    // As a hospital does: no more into the socket while it has a backlog of its own.
    while (sender.socket.bufferedAmount > BACKLOG) await pause(0);
    sender.socket.send(frame);
  }
  await done;
  const seconds = (performance.now() - start) / 1000;
  for (const hospital of hospitals) hospital.kill();
  return seconds;
}

if (parentPort !== null && (workerData as Partial<Job> | null)?.consortium !== undefined) {
  const seconds = await work(workerData as Job);
  parentPort.postMessage(seconds);
}
