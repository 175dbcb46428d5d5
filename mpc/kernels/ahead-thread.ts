/** The other thread of `ahead.ts`: derives batches as long as there are any, and hands each over. */
import { parentPort, workerData } from 'node:worker_threads';
import { takeBatch, type DerivedBatch, type SharedWork } from './ahead.ts';
import { BATCH, batchMemory, deriveBatch, reserveGenerators } from './generators.ts';

const work = workerData as SharedWork;
reserveGenerators(BATCH);
for (let batch = takeBatch(work); batch !== undefined; batch = takeBatch(work)) {
  deriveBatch(BATCH * batch, BATCH, { end: BATCH * work.end, place: 0 });
  const derived: DerivedBatch = { batch, niels: batchMemory(0).slice() };
  parentPort!.postMessage(derived, [derived.niels.buffer as ArrayBuffer]);
}
