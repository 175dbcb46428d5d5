/**
 * A process that takes stock for session after session as fast as it can, and says what it was handed, to be killed by a test.
 * Arguments: the folder of three hospitals; `hold`, to take once and to go no further.
 */
import { writeSync } from 'node:fs';
import { argv } from 'node:process';
import { Consortium, triplesIn } from './pools.ts';

const consortium = new Consortium(argv[2]);
if (!consortium.pool(consortium.roster[0]!).status.some(({ setup }) => setup)) {
  consortium.plantSetups(consortium.members.seed);
}
writeSync(1, 'ready\n');
for (;;) {
  if (consortium.pool(consortium.roster[0]!).triplesOf(consortium.roster) === 0) await consortium.prepare(8 * 4096);
  if (argv[3] === 'hold') {
    await consortium.hold(consortium.demand(128));
    writeSync(1, 'taken\n');
    await new Promise((resolve) => setTimeout(resolve, 60_000));
  }
  const stocks = await consortium.take(consortium.demand(128));
  // Synchronously: what is written here was handed out before whatever kills this process.
  for (const stock of stocks) writeSync(1, `${triplesIn(stock.triples(128))[0]!}\n`);
}
