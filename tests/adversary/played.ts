import { join } from 'node:path';
import { planQuery, shareModulus, type Plan } from '../../analytics/index.ts';
import { schemaOf } from '../../analytics/testing/world.ts';
import { found, RemoteLedger, startLedgerServer, type LedgerServer, type Member } from '../../ledger/index.ts';
import { ShareSum } from '../../mpc/share-sum.ts';
import { CellSet } from '../../mpc/sum/cell-set.ts';
import { DecidedInput } from '../../mpc/sum/decided.ts';
import { combineShares, type Opening } from '../../mpc/sum/opening.ts';
import { ShareOpener, type ReceivedShare } from '../../mpc/sum/share-opener.ts';
import { sealShare } from '../../mpc/sum/share-sealer.ts';
import { seededRandom, World } from '../../mpc/testing/world.ts';
import { toHex } from '../../protocol/bytes.ts';
import { Identity } from '../../protocol/identity.ts';
import type { Action } from '../../protocol/ledger.ts';
import type { Outcome } from '../../protocol/outcome.ts';
import { AnswerKeys } from '../../researcher/answers.ts';
import { Researcher } from '../../researcher/client.ts';
import { CoordinatorClient } from '../../researcher/coordinator.ts';
import { openingToStep, renderDocument, type ReceiptDocument } from '../../researcher/result/documents.ts';
import { makeFolder, removeFolder } from '../end-to-end/world.ts';
import type { Agreed } from './shares.ts';

const schema = schemaOf([
  { name: 'sex', type: 'category', codes: ['f', 'm'] },
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120' },
  // Sums of its squares are too large for shares mod 2^128.
  { name: 'paid', type: 'number', decimals: 0, minimum: '0', maximum: '1000000000' },
]);

/** What the hospitals decided, as the test has it. */
export interface Decision {
  readonly released: (cell: number, plan: Plan) => boolean;
  readonly answers?: Outcome['answers'];
}

/** A query that hospitals answered: their sealed shares wait for the researcher. */
export interface Played {
  readonly query: string;
  readonly session: string;
  readonly plan: Plan;
  readonly shares: ReadonlyMap<string, readonly Uint8Array[]>;
  /** What the hospitals hold of it. */
  readonly step: Agreed;
}

export type ReceiptStep = ReceiptDocument['steps'][number];

/** Hands over shares that a test made, in place of a coordinator. */
class HandedOver extends CoordinatorClient {
  readonly shares = new Map<string, readonly Uint8Array[]>();

  override share(
    _: Member,
    { session }: { session: string },
    hospital: string,
    take: (chunk: Uint8Array) => void,
  ): Promise<void> {
    for (const chunk of this.shares.get(`${session}/${hospital}`)!) take(Uint8Array.from(chunk));
    return Promise.resolve();
  }
}

/**
 * A real ledger and a real researcher; the hospitals, which may all deviate together, and the coordinator are played by
 * the test.
 */
export class PlayedConsortium {
  readonly ledger: RemoteLedger;
  readonly researcher: Researcher;
  readonly hospitals: World;
  readonly #server: LedgerServer;
  readonly #folder: string;
  readonly #members: ReadonlyMap<string, Member>;
  readonly #answerKeys: AnswerKeys;
  readonly #coordinator = new HandedOver('http://127.0.0.1:9');

  private constructor(parts: {
    server: LedgerServer;
    ledger: RemoteLedger;
    folder: string;
    hospitals: World;
    members: ReadonlyMap<string, Member>;
  }) {
    this.ledger = parts.ledger;
    this.hospitals = parts.hospitals;
    this.#server = parts.server;
    this.#folder = parts.folder;
    this.#members = parts.members;
    this.#answerKeys = new AnswerKeys(join(parts.folder, 'answer-keys'));
    this.researcher = new Researcher({
      ledger: this.ledger,
      coordinator: this.#coordinator,
      member: this.member('researcher'),
      answerKeys: this.#answerKeys,
    });
  }

  static async open(): Promise<PlayedConsortium> {
    const folder = makeFolder('played');
    const hospitals = new World({ parties: 3, seed: 'played' });
    const roles = { board: 'admin', researcher: 'researcher', relay: 'coordinator' } as const;
    const others = Object.entries(roles).map(([id, role]) => ({ id, role, identity: Identity.generate() }));
    const houses = [...hospitals.identities].map(([id, identity]) => ({ id, role: 'hospital' as const, identity }));
    const all = [...others, ...houses];
    const members = new Map(all.map(({ id, identity }) => [id, { organisation: id, identity }]));
    const organisations = all.map(({ id, role, identity }) => ({
      id,
      name: id,
      roles: [role],
      publicKey: identity.publicKey,
    }));
    const founding = found({ name: 'played', organisations, founder: members.get('board')! });
    const server = await startLedgerServer({
      folder: join(folder, 'ledger'),
      host: '127.0.0.1',
      port: 0,
      founding,
      clock: Date.now,
    });
    const ledger = await RemoteLedger.connect({ url: server.url });
    await ledger.submit(members.get('board')!, { type: 'registerSchema', schema });
    return new PlayedConsortium({ server, ledger, folder, hospitals, members });
  }

  member(id: string): Member {
    return this.#members.get(id)!;
  }

  /** From the query to the sealed shares. Without a decision the hospitals open every cell. */
  async play(query: object, decision?: Decision): Promise<Played> {
    const { ledger } = this;
    const { roster } = this.hospitals;
    const id = await this.researcher.submit({ dataset: schema.dataset, purpose: 'GRU', ...query });
    for (const hospital of roster) await ledger.submit(this.member(hospital), { type: 'approveQuery', query: id });
    const opening: Action = { type: 'openSession', query: id, attempt: 0, roster: [...roster] };
    const session = (await ledger.submit(this.member('relay'), opening)).id;

    const { query: asked, answerKey } = ledger.query(id)!;
    const plan = planQuery(asked, schema);
    const world = new World({ parties: roster.length, seed: session, deadline: 'idle', sameMembers: this.hospitals });
    Object.assign(world, { session });
    const values = roster.map((_, i) => Array.from({ length: plan.cells }, (_, cell) => BigInt(10 * i + cell)));
    const { agreed, commitments } = await world.agree(values, 0, shareModulus(plan));
    for (const [i, hospital] of roster.entries()) {
      const commitment = toHex(commitments[i]!);
      await ledger.submit(this.member(hospital), { type: 'recordCommitment', session, step: 0, commitment });
    }
    const decided = await Promise.all(
      agreed.map(async (input, i) => {
        if (decision === undefined) return DecidedInput.everything(input);
        const released = CellSet.of(plan.cells, (cell) => decision.released(cell, plan));
        return DecidedInput.deciding(input, released, decision.answers ?? [], seededRandom(`${session}/${i}`));
      }),
    );
    const shares = new Map(
      roster.map((hospital, i) => [
        hospital,
        Array.from(sealShare(decided[i]!, this.member(hospital).identity, answerKey), (chunk) =>
          Uint8Array.from(chunk),
        ),
      ]),
    );
    for (const [hospital, chunks] of shares) this.#coordinator.shares.set(`${session}/${hospital}`, chunks);
    const { cells } = plan;
    const step = { world, inputs: agreed, decided, commitments, cells, modulus: shareModulus(plan), step: 0 };
    return { query: id, session, plan, shares, step };
  }

  /** What a researcher can open, before it checks anything. */
  open({ query, session, plan, shares }: Played): { opening: Opening; received: ReceivedShare[] } {
    const modulus = shareModulus(plan);
    const sum = new ShareSum(plan.cells, modulus);
    const received = Array.from(shares, ([party, chunks]) => {
      const activeKeys = [this.member(party).identity.publicKey];
      const expected = { session, step: 0, party, cells: plan.cells, modulus, activeKeys };
      const opener = new ShareOpener(expected, this.#answerKeys.load(query), sum);
      for (const chunk of chunks) opener.add(chunk);
      return opener.finish();
    });
    return { opening: combineShares(sum, received), received };
  }

  /**
   * The receipt of a dishonest researcher, and its record on the ledger: whatever it claims, digest included, is
   * consistent, except that it holds nobody else's keys.
   */
  async record(
    played: Played,
    opening: Opening,
    received: readonly ReceivedShare[],
    claim: (honest: ReceiptStep) => ReceiptStep = (honest) => honest,
  ): Promise<{ receipt: string; ledger: string }> {
    const { session } = played;
    const result = opening.digest(session, 0);
    const action: Action = { type: 'recordReceipt', session, step: 0, result, final: true };
    await this.ledger.submit(this.member('researcher'), action);
    return this.write(played, opening, received, claim);
  }

  /** The same without its record. */
  async write(
    { query, session }: Played,
    opening: Opening,
    received: readonly ReceivedShare[],
    claim: (honest: ReceiptStep) => ReceiptStep = (honest) => honest,
  ): Promise<{ receipt: string; ledger: string }> {
    const { ledger } = this;
    await ledger.refresh();
    const { size, root, publicKey: operatorKey } = ledger.head();
    const receipt: ReceiptDocument = {
      format: 'healthchain-receipt/1',
      ledger: { consortium: ledger.consortium, operatorKey, size, root },
      query,
      session,
      hospitals: [...this.hospitals.roster],
      steps: [claim(openingToStep(opening, opening.digest(session, 0), received))],
    };
    return { receipt: renderDocument(receipt), ledger: renderDocument(await ledger.export()) };
  }

  async close(): Promise<void> {
    await this.ledger.close();
    await this.#server.close();
    removeFolder(this.#folder);
  }
}
