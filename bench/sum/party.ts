import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { pino } from 'pino';
import { messageOfBench } from '../children.ts';
import { Connection } from '../../hospital/connection/connection.ts';
import { Streams } from '../../hospital/connection/streams.ts';
import { SessionRelay } from '../../hospital/session/relay.ts';
import { CellVector } from '../../mpc/cells.ts';
import { elementBytes } from '../../mpc/masks.ts';
import { randomScalar } from '../../mpc/scalars.ts';
import { openChannel } from '../../mpc/session/handshake.ts';
import { AgreedInput, agreementHash, seedListDigest } from '../../mpc/sum/party.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import { sealShare } from '../../mpc/sum/share-sealer.ts';
import { CHUNK_LIMIT } from '../../mpc/sum/stream.ts';
import type { RandomSource } from '../../mpc/transport.ts';
import { TAG_BYTES } from '../../protocol/envelope.ts';
import type { Frame, PullRequest } from '../../protocol/frame.ts';
import { Identity } from '../../protocol/identity.ts';
import { transcriptHash, type Transcript } from '../../protocol/session.ts';
import { cellsOf, STEP, type Begin, type Join } from './messages.ts';

/**
 * One hospital of the sum bench: the node's own connection, streams, channel and sealing, over given cells. Two things of a node
 * are left out, as they are not the sum: the commitment with the two rounds that compare it, and the share's stay on disk.
 */
const random: RandomSource = (bytes) => new Uint8Array(randomBytes(bytes));
process.once('disconnect', () => process.exit());

const join = await messageOfBench<Join>();
const identity = Identity.fromPem(join.pem);
const connection = new Connection({
  url: join.coordinatorUrl,
  organisation: join.organisation,
  identity,
  consortium: join.consortium,
  log: pino({ level: 'silent' }),
});
let serve: (request: PullRequest) => Iterable<Uint8Array> = () => [];
const streams = new Streams(
  (frame) => connection.send(frame),
  // eslint-disable-next-line @typescript-eslint/require-await
  async function* (request) {
    yield* serve(request);
  },
);
let relay: SessionRelay | undefined;
const early: Extract<Frame, { type: 'relay' }>[] = [];
connection.on('frame', (frame) => {
  if (frame.type === 'pull' || frame.type === 'credit' || frame.type === 'cancel') streams.handle(frame);
  else if (frame.type !== 'relay') return;
  else if (relay === undefined) early.push(frame);
  else relay.deliver(frame.from, frame.payload);
});
connection.start();
await once(connection, 'open');
process.send!('connected');

const begin = await messageOfBench<Begin>();
const agreed = await agree(begin);
const chunk = randomBytes(CHUNK_LIMIT + TAG_BYTES);
serve = ({ step }) =>
  step === STEP.share
    ? sealShare(DecidedInput.everything(agreed), identity, begin.answerKey)
    : sameBytes(elementBytes(begin.modulus) * begin.cells, chunk);
process.send!('ready');

/** Session keys and mask seeds as in a node, through the coordinator. */
async function agree({ session, roster, keys, ledger, cells, modulus }: Begin): Promise<AgreedInput> {
  const self = roster.indexOf(join.organisation);
  relay = new SessionRelay(
    roster,
    (to, payload) => connection.send({ type: 'relay', session, from: self, to, payload }),
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
  const channel = await openChannel(setting, relay, identity, random);
  const transcript: Transcript = {
    session,
    query: '0'.repeat(64),
    roster,
    hellos: roster.map(() => '0'.repeat(64)),
    ledger,
    step: STEP.share,
    plan: '0'.repeat(64),
    cells,
    modulus,
    commitments: roster.map(() => '0'.repeat(64)),
    receipts: [],
  };
  const hash = transcriptHash(transcript);
  const digests = roster.map((party) => seedListDigest(Buffer.from(party)));
  return new AgreedInput({
    channel,
    transcript,
    agreement: agreementHash(hash, digests),
    seeds: new Map(channel.peers.map((peer) => [peer, channel.maskSeed(peer, hash)])),
    lists: new Map(),
    digests,
    cells: toCells(cellsOf(self, cells)),
    blinding: randomScalar(random),
  });
}

function toCells(values: BigUint64Array): CellVector {
  const vector = CellVector.zeros(values.length);
  const words = new BigUint64Array(vector.bytes.buffer);
  values.forEach((value, i) => (words[2 * i] = value));
  return vector;
}

function* sameBytes(length: number, chunk: Uint8Array): Generator<Uint8Array> {
  for (let left = length; left > 0; left -= CHUNK_LIMIT) {
    yield chunk.subarray(0, Math.min(left, CHUNK_LIMIT) + TAG_BYTES);
  }
}
