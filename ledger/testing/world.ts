import { Identity } from '../../protocol/identity.ts';
import { signAccess, signConsent, type ConsentStatement } from '../../protocol/consent.ts';
import type {
  Action,
  ActionOf,
  Organisation,
  Role,
  SignedAction,
  SuspensionSubject,
  Tier,
} from '../../protocol/ledger.ts';
import type { DatasetSchema } from '../../protocol/schema.ts';
import { everythingOpens } from '../../protocol/testing/release.ts';
import { apply } from '../contract/apply.ts';
import type { Outcome } from '../contract/call.ts';
import { MemoryState } from '../contract/state.ts';
import type { Member } from '../ledger.ts';
import { found, rotation, signAction } from '../sign.ts';

/** A small consortium: three hospitals that are asked, one that is not, and one member of every other role, or two. */
const ROLES = {
  board: ['admin'],
  senate: ['admin'],
  north: ['hospital'],
  south: ['hospital'],
  east: ['hospital'],
  west: ['hospital'],
  rita: ['researcher'],
  rob: ['researcher'],
  audit: ['auditor'],
  relay: ['coordinator'],
} as const satisfies Record<string, readonly Role[]>;

export type MemberName = keyof typeof ROLES;
export const MEMBERS = Object.keys(ROLES) as MemberName[];
export const ASKED = ['east', 'north', 'south'];

export interface World {
  readonly members: Readonly<Record<MemberName, Member>>;
  readonly organisations: readonly Organisation[];
  readonly founding: SignedAction;
}

/** `msp` is the MSP that speaks for all of them on a Fabric channel. */
export function makeWorld(tier?: Tier, members: World['members'] = makeMembers(), msp?: string): World {
  const organisations = MEMBERS.map((id) => ({
    ...organisation(id, ROLES[id], members[id].identity),
    ...(msp === undefined ? {} : { msp }),
  }));
  const founding = found({ name: 'Test consortium', organisations, founder: members.board, tier });
  return { members, organisations, founding };
}

const makeMembers = (): World['members'] =>
  Object.fromEntries(
    MEMBERS.map((organisation) => [organisation, { organisation, identity: Identity.generate() }]),
  ) as Record<MemberName, Member>;

export const organisation = (id: string, roles: readonly Role[], identity: Identity): Organisation => ({
  id,
  name: `Organisation ${id}`,
  roles: [...roles],
  publicKey: identity.publicKey,
});

export const schema = (version = 1, minimumHospitals?: number): DatasetSchema => ({
  dataset: 'heart',
  version,
  columns: [{ name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '130' }],
  ...(minimumHospitals === undefined ? {} : { release: { minimumHospitals } }),
});

export const hex = (seed: number, bytes = 32): string => (seed % 2 ** 32).toString(16).padStart(2 * bytes, '0');

/** Of a dataset whose use rests on consent, and which counts queries and credits. */
export const ruledSchema = (rules: Partial<DatasetSchema> = {}): DatasetSchema => ({
  ...schema(),
  consent: { basis: 'opt-in' },
  contribution: { creditsPerQuery: 100, split: 'equal' },
  budget: { queriesPerResearcher: 2 },
  ...rules,
});

/** What a patient signs; the rest has a value that serves most tests. */
export const consentOf = (
  patient: Identity,
  consortium: string,
  change: Partial<ConsentStatement> = {},
): ActionOf<'recordConsent'> => ({
  type: 'recordConsent',
  ...signConsent(patient, {
    ...{ consortium, patient: patient.publicKey, sequence: 1 },
    ...{ decision: 'grant', dataset: 'heart', purposes: ['GRU'], hospitals: '*' },
    ...change,
  }),
});
export const accessGrant = (
  patient: Identity,
  consortium: string,
  change: { sequence?: number; doctor?: string; hospital?: string; until?: string } = {},
): ActionOf<'recordAccess'> => ({
  type: 'recordAccess',
  ...signAccess(patient, {
    ...{ consortium, patient: patient.publicKey, sequence: 1 },
    ...{ decision: 'grant', doctor: hex(21), hospital: 'north', until: '2026-12-31' },
    ...change,
  }),
});
export const accessRevocation = (patient: Identity, consortium: string, sequence = 2): ActionOf<'recordAccess'> => ({
  type: 'recordAccess',
  ...signAccess(patient, {
    ...{ consortium, patient: patient.publicKey, sequence },
    ...{ decision: 'revoke', doctor: hex(21), hospital: 'north' },
  }),
});

/** One action of each kind, as they follow each other in the life of a query. */
export const actions = {
  register: (id: string, roles: readonly Role[] = ['hospital'], identity = Identity.generate()): Action => ({
    type: 'registerOrganisation',
    organisation: organisation(id, roles, identity),
  }),
  revoke: (member: Member): Action => ({
    type: 'revokeKey',
    organisation: member.organisation,
    publicKey: member.identity.publicKey,
    reason: 'laptop lost',
  }),
  schema: (version = 1, minimumHospitals?: number): Action => ({
    type: 'registerSchema',
    schema: schema(version, minimumHospitals),
  }),
  submit: (change: Partial<ActionOf<'submitQuery'>> & { minimumHospitals?: number } = {}): ActionOf<'submitQuery'> => {
    const { minimumHospitals = 2, ...rest } = change;
    return {
      type: 'submitQuery',
      query: {
        dataset: 'heart@1',
        purpose: 'GRU',
        statistics: [{ mean: { column: 'age' } }],
        release: everythingOpens(minimumHospitals),
      },
      answerKey: hex(7),
      hospitals: [...ASKED],
      steps: 2,
      nonce: hex(1),
      ...rest,
    };
  },
  approve: (query: string): Action => ({ type: 'approveQuery', query }),
  deny: (query: string, reason = 'no capacity'): Action => ({ type: 'denyQuery', query, reason }),
  open: (query: string, attempt = 0, roster: readonly string[] = ASKED): Action => ({
    type: 'openSession',
    query,
    attempt,
    roster: [...roster],
  }),
  commit: (session: string, step = 0, commitment = hex(9)): Action => ({
    type: 'recordCommitment',
    session,
    step,
    commitment,
  }),
  receipt: (session: string, step = 0, final = true, result = hex(11)): Action => ({
    type: 'recordReceipt',
    session,
    step,
    result,
    final,
  }),
  abort: (session: string, rest: Partial<ActionOf<'abortSession'>> = {}): Action => ({
    type: 'abortSession',
    session,
    reason: 'DROP_OUT',
    ...rest,
  }),
  suspend: (subject: SuspensionSubject, nonce = hex(31)): Action => ({
    type: 'suspend',
    subject,
    reason: 'under inquiry',
    nonce,
  }),
  reinstate: (subject: SuspensionSubject, nonce = hex(32)): Action => ({
    type: 'reinstate',
    subject,
    reason: 'inquiry closed',
    nonce,
  }),
  epoch: (period: string): Action => ({ type: 'openConsentEpoch', period }),
  withdrawEpoch: (period: string, reason = 'opened by mistake'): Action => ({
    type: 'withdrawConsentEpoch',
    period,
    reason,
  }),
  publish: (ledger: string, session: string, receipt = hex(11)): Action => ({
    type: 'publishResult',
    ...{ ledger, session, receipt, result: hex(41), title: 'Mean age at four hospitals' },
  }),
} as const;

/** The contract over a state in memory, founded, and able to go back to where it was. */
export class ContractBench {
  readonly world: World;
  readonly consortium = hex(0xc0);
  state = new MemoryState();

  private constructor(world: World) {
    this.world = world;
  }
  static async found(world: World = makeWorld()): Promise<ContractBench> {
    const bench = new ContractBench(world);
    await bench.apply(world.founding);
    return bench;
  }
  apply(signed: SignedAction): Promise<Outcome> {
    return apply(this.state, signed, this.consortium);
  }
  do(who: MemberName | Member, action: Action): Promise<Outcome> {
    return this.apply(this.sign(who, action));
  }
  sign(who: MemberName | Member, action: Action): SignedAction {
    return signAction(typeof who === 'string' ? this.world.members[who] : who, this.consortium, action);
  }
  rotation(who: MemberName, next: Identity): Action {
    return rotation(this.consortium, who, next);
  }
  async fork(): Promise<ContractBench> {
    const copy = new ContractBench(this.world);
    for (const { key, value } of this.state.dump()) await copy.state.put(key, value);
    return copy;
  }
  async submitted(change: Parameters<typeof actions.submit>[0] = {}): Promise<string> {
    await this.do('board', actions.schema());
    return (await this.do('rita', actions.submit(change))).id;
  }
  async approved(change: Parameters<typeof actions.submit>[0] = {}): Promise<string> {
    const query = await this.submitted(change);
    for (const hospital of ASKED) await this.do(hospital as MemberName, actions.approve(query));
    return query;
  }
  async opened(change: Parameters<typeof actions.submit>[0] = {}): Promise<{ query: string; session: string }> {
    const query = await this.approved(change);
    return { query, session: (await this.do('relay', actions.open(query))).id };
  }
  async completed(change: Parameters<typeof actions.submit>[0] = {}): Promise<{ query: string; session: string }> {
    const opened = await this.opened(change);
    for (const hospital of ASKED) await this.do(hospital as MemberName, actions.commit(opened.session));
    await this.do('rita', actions.receipt(opened.session));
    return opened;
  }
}
