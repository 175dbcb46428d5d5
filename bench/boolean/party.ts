import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { pino } from 'pino';
import { messageOfBench } from '../children.ts';
import { Connection } from '../../hospital/connection/connection.ts';
import { SessionRelay } from '../../hospital/session/relay.ts';
import { CircuitBuilder, type Signal } from '../../mpc/boolean/builder.ts';
import type { Circuit } from '../../mpc/boolean/circuit.ts';
import { evaluationCost, type Cost } from '../../mpc/boolean/cost.ts';
import { BooleanSession } from '../../mpc/boolean/engine.ts';
import type { Stock } from '../../mpc/boolean/stock.ts';
import { findQuantiles, quantileCost } from '../../mpc/order/quantile.ts';
import { prepareStock } from '../../mpc/preprocessing/prepare.ts';
import { setUpRoster, type RosterSetup } from '../../mpc/preprocessing/setup.ts';
import { decideRelease, releaseCost, type GuardRule } from '../../mpc/release.ts';
import type { Channel } from '../../mpc/session/channel.ts';
import { openChannel } from '../../mpc/session/handshake.ts';
import type { RandomSource } from '../../mpc/transport.ts';
import type { Frame } from '../../protocol/frame.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Begin, Join } from '../sum/messages.ts';
import { countOf, type Done, type Task } from './messages.ts';

/** One hospital of the bench: the node's own connection and channel, and given counts. */
const random: RandomSource = (bytes) => new Uint8Array(randomBytes(bytes));
process.once('disconnect', () => process.exit());

const join = await messageOfBench<Join>();
const connection = new Connection({
  url: join.coordinatorUrl,
  organisation: join.organisation,
  identity: Identity.fromPem(join.pem),
  consortium: join.consortium,
  log: pino({ level: 'silent' }),
});
let relay: SessionRelay | undefined;
const early: Extract<Frame, { type: 'relay' }>[] = [];
connection.on('frame', (frame) => {
  if (frame.type !== 'relay') return;
  if (relay === undefined) early.push(frame);
  else relay.deliver(frame.from, frame.payload);
});
connection.start();
await once(connection, 'open');
process.send!('connected');

const sent = { bytes: 0, frames: 0 };
const begin = await messageOfBench<Begin>();
const self = begin.roster.indexOf(join.organisation);
const channel = await open(begin);
let setup: RosterSetup | undefined;
let stock: Stock | undefined;
let ready: { session: BooleanSession; circuit: Circuit } | undefined;
let serial = 0;
process.send!('ready');

for (;;) {
  const task = await messageOfBench<Task>();
  const before = { ...sent };
  const result = await perform(task);
  const done: Done = { bytes: sent.bytes - before.bytes, frames: sent.frames - before.frames, result };
  process.send!(done);
}

async function perform(task: Task): Promise<string> {
  switch (task.kind) {
    case 'setUp':
      setup = await setUpRoster(channel, random);
      return '';
    case 'triples':
      await make({ stock: { triples: task.count, random: 0, masks: new Map() }, rounds: 0, bytes: 0, entries: 0 });
      return '';
    case 'makeAnds': {
      const circuit = layered(task.lanes, task.layers);
      ready = { session: session(await make(evaluationCost(circuit, begin.roster, self))), circuit };
      return '';
    }
    case 'ands': {
      const { session, circuit } = ready!;
      const inputs = circuit.inputs.filter(({ owner }) => owner === self).map(({ lanes }) => random(lanes / 8));
      await session.evaluate(circuit, inputs);
      return '';
    }
    case 'makeStock':
      stock = await make(releaseCost(begin.roster, task.cells, rule(task.coalition), self));
      return '';
    case 'release': {
      const counts = Array.from({ length: task.cells }, (_, cell) => countOf(self, cell));
      const from = stock ?? (await make(releaseCost(begin.roster, task.cells, rule(task.coalition), self)));
      stock = undefined;
      return digestOf(await using(from, (each) => decideRelease(each, counts, rule(task.coalition))));
    }
    case 'medians': {
      const search = {
        probabilities: Array.from({ length: task.groups }, () => ({ numerator: 1n, denominator: 2n })),
        gridSize: task.gridSize,
        greatestCount: 2n ** 32n - 1n,
      };
      const from = await make(quantileCost(begin.roster, search, self));
      // A hospital's values: one at every grid point from `self` on, in steps of 3.
      const below = (probe: number | undefined): bigint =>
        probe === undefined ? 0n : BigInt(Math.ceil((probe + 1 - self) / 3));
      const own = search.probabilities.map(() => below(task.gridSize - 1));
      return digestOf(await using(from, (each) => findQuantiles(each, search, own, (probes) => probes.map(below))));
    }
  }
}

function rule(coalition: number): GuardRule {
  return { minimumCell: 10, coalition, zeroCells: 'open' };
}

function session(from: Stock): BooleanSession {
  return new BooleanSession(channel, from, random, `bench/${serial++}`);
}

/** As hospitals do it: a session for each stock, which ends it. */
async function using<T>(from: Stock, compute: (session: BooleanSession) => Promise<T>): Promise<T> {
  const each = session(from);
  try {
    return await compute(each);
  } finally {
    each.end();
  }
}

async function make(cost: Cost): Promise<Stock> {
  setup ??= await setUpRoster(channel, random);
  return prepareStock(channel, setup, random, cost.stock);
}

/** `layers` layers of ANDs, each over all lanes. */
function layered(lanes: number, layers: number): Circuit {
  const builder = new CircuitBuilder();
  const [x, y] = [builder.input(0, lanes), builder.input(1, lanes)];
  let last: Signal = x;
  for (let layer = 0; layer < layers; layer++) last = builder.and(builder.xor(last, y), x);
  return builder.build([last]);
}

function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex');
}

async function open({ session, roster, keys, ledger }: Begin): Promise<Channel> {
  relay = new SessionRelay(
    roster,
    (to, payload) => {
      sent.bytes += payload.length;
      sent.frames++;
      return connection.send({ type: 'relay', session, from: self, to, payload });
    },
    new AbortController().signal,
  );
  for (const { from, payload } of early) relay.deliver(from, payload);
  const setting = {
    session,
    self: join.organisation,
    roster,
    identityKeys: (party: string) => [keys[party]!],
    ledger,
  };
  return openChannel(setting, relay, Identity.fromPem(join.pem), random);
}
