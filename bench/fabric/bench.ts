import { summarize, type Bench, type Tools } from '../measurement.ts';
import { registration, signedRegistration, withChannel, type RunningChannel } from './network.ts';

/** Calls under way at once, and how many in all. */
const LOADS = [
  { inFlight: 1, calls: 40 },
  { inFlight: 8, calls: 200 },
  { inFlight: 50, calls: 500 },
];

interface Kind {
  readonly name: string;
  readonly about: string;
  readonly call: (channel: RunningChannel) => Promise<unknown>;
}

const KINDS: readonly Kind[] = [
  {
    name: 'fabric/submit',
    about: 'one action at a gateway, until its peer has committed it; four organisations, one orderer, one machine',
    call: (channel) => channel.submit(signedRegistration(channel)),
  },
  {
    name: 'fabric/ledger',
    about: 'the same as a member submits it, until its own verified copy of the chain has it',
    call: ({ ledger, admin }) => ledger.submit(admin, registration()),
  },
  {
    name: 'fabric/evaluate',
    about: 'one record read by the chaincode of a gateway’s peer',
    call: (channel) => channel.read('board'),
  },
];

export const fabricBenches: readonly Bench[] = KINDS.map((kind) => ({
  name: kind.name,
  about: kind.about,
  quick: false,
  run: (tools) => withChannel(tools, kind.name, (channel) => measure(tools, kind, channel)),
}));

async function measure(
  { console, quick, report }: Tools,
  { name, call }: Kind,
  channel: RunningChannel,
): Promise<void> {
  for (let i = 0; i < 20; i++) await call(channel);
  for (const { inFlight, calls } of LOADS) {
    const count = quick ? Math.ceil(calls / 5) : calls;
    console.progress(`${name}: ${count} calls, ${inFlight} at once`);
    const rounds: number[] = [];
    const latencies: number[] = [];
    for (let round = 0; round < 3; round++) {
      const begun = performance.now();
      latencies.push(...(await callMany(() => call(channel), count, inFlight)));
      rounds.push((1000 * count) / (performance.now() - begun));
    }
    report(summarize(`${name}: latency of each, ${inFlight} in flight`, 'ms', latencies));
    report(summarize(`${name}: throughput, ${inFlight} in flight`, '1/s', rounds));
  }
}

/** Milliseconds that each call took, with so many always under way. */
async function callMany(call: () => Promise<unknown>, count: number, inFlight: number): Promise<number[]> {
  const latencies: number[] = [];
  let begun = 0;
  const worker = async (): Promise<void> => {
    while (begun++ < count) {
      const start = performance.now();
      await call();
      latencies.push(performance.now() - start);
    }
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return latencies;
}
