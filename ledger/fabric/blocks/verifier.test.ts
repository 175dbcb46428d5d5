import { common } from '@hyperledger/fabric-protos';
import { beforeEach, describe, expect, it } from 'vitest';
import { makeCertificate, makeRevocations, signAs, YEAR, type Made } from '../testing/certificates.ts';
import { delivered, MadeChannel, rangeOf, readOf, type MadeTransaction } from '../testing/made-channel.ts';
import { channelGroup, makeOrganisation, organisationGroup, type MadeOrganisation } from '../testing/made-config.ts';
import { dataHash, type Block } from './block.ts';
import { BlockVerifier } from './verifier.ts';

const north = makeOrganisation('NorthMSP');
const south = makeOrganisation('SouthMSP', { intermediate: true });
const office = makeOrganisation('OfficeMSP');
const stranger = makeOrganisation('StrangerMSP');
const ordering = makeOrganisation('OrdererMSP');
const MAJORITY = [
  [north, north.peer],
  [south, south.peer],
] as const;
const usual: MadeTransaction = { creator: [north, north.user], endorsers: MAJORITY };

let channel: MadeChannel;
let verifier: BlockVerifier;
beforeEach(() => {
  channel = new MadeChannel({ members: [north, south, office], ordering });
  verifier = follow(channel);
});

function follow(of: MadeChannel): BlockVerifier {
  const made = new BlockVerifier({ channel: 'made', chaincode: 'healthchain', genesis: of.genesis });
  made.accept(of.blocks[0]!);
  return made;
}
const tx = (change: Partial<MadeTransaction> = {}): Uint8Array => channel.transaction({ ...usual, ...change });
/** What the verifier finds of each transaction of the next block, in the peer's words. */
const verdicts = (...data: readonly Uint8Array[]): string[] => [
  ...verifier.accept(channel.add(data)).verdicts.values(),
];

describe('a block', () => {
  it('of an honest channel is taken, with what its transactions asked for', () => {
    const time = new Date('2026-02-03T04:05:06Z');
    const { transactions, number } = verifier.accept(delivered(channel.add([tx({ time, args: ['apply', 'x'] })])));
    expect(number).toBe(1);
    expect(transactions).toMatchObject([{ time: time.toISOString(), creator: { mspId: 'NorthMSP' } }]);
    expect(transactions[0]!.args.map((arg) => Buffer.from(arg).toString())).toEqual(['apply', 'x']);
    expect(verifier.next).toBe(2);
  });

  const forgeries: Record<string, [RegExp, () => Block]> = {
    'that is not the next one': [/: number: /, () => channel.sign({ ...channel.assemble([tx()]), number: 2 })],
    'that follows another block': [
      /: previous-hash: /,
      () => ({ ...channel.assemble([tx()]), previousHash: new Uint8Array(32) }),
    ],
    'whose transactions were exchanged': [/: data-hash: /, () => ({ ...channel.assemble([tx()]), data: [tx()] })],
    'that nobody signed': [/: orderer-signature: /, () => channel.assemble([tx()], { signers: [] })],
    'that a peer signed in place of an orderer': [
      /: orderer-signature: /,
      () => new MadeChannel({ ...channel.options, ordering: north }).sign(channel.assemble([tx()]), [stranger.orderer]),
    ],
    'whose signature is over another block': [
      /: orderer-signature: /,
      () => ({ ...channel.assemble([tx()]), signatures: channel.assemble([tx()]).signatures }),
    ],
    'that hands on two transactions as one': [
      /: envelope: /,
      () => {
        const data = [tx(), tx()];
        const joined = [Buffer.concat(data)];
        expect(dataHash(joined)).toEqual(dataHash(data));
        return { ...channel.assemble(data), data: joined };
      },
    ],
    'with an unsigned envelope': [
      /: envelope: /,
      () => {
        const envelope = common.Envelope.deserializeBinary(tx());
        envelope.setSignature('');
        return channel.assemble([envelope.serializeBinary()]);
      },
    ],
    'whose transaction has a field that no program of Fabric writes': [
      /: encoding: /,
      () => channel.assemble([tx({ change: { payloadTail: Uint8Array.of(0x78, 0x01) } })]),
    ],
    'whose transaction has a field twice, which decoders read differently': [
      /: flags: .*BAD_PAYLOAD/,
      () => delivered(channel.assemble([tx({ change: { payloadTail: Uint8Array.of(0x12, 0x00) } })])),
    ],
    'in which another chaincode writes to the state of this one': [
      /: contract: /,
      () => channel.assemble([tx({ chaincode: 'other', namespace: 'healthchain' })]),
    ],
  };
  it.each(Object.keys(forgeries))('%s ends in FORGED_LEDGER', (name) => {
    const [check, make] = forgeries[name]!;
    expect(() => verifier.accept(make())).toThrow(expect.objectContaining({ code: 'FORGED_LEDGER' }) as Error);
    expect(() => follow(channel).accept(make())).toThrow(check);
  });

  it('that orderers signed on top of another past is a fork', () => {
    channel.add([tx()]);
    verifier.accept(channel.blocks[1]!);
    const other = new MadeChannel(channel.options);
    other.blocks.splice(0, 1, channel.blocks[0]!);
    other.add([tx()]);
    expect(() => verifier.accept(other.add([tx()]))).toThrow(expect.objectContaining({ code: 'LEDGER_FORK' }) as Error);
  });

  it('that begins another channel than the pinned one is refused', () => {
    const pinned = new BlockVerifier({ channel: 'made', chaincode: 'healthchain', genesis: '00'.repeat(32) });
    expect(() => pinned.accept(channel.blocks[0]!)).toThrow(/ genesis: /);
    const renamed = new BlockVerifier({ channel: 'other', chaincode: 'healthchain' });
    expect(() => renamed.accept(channel.blocks[0]!)).toThrow(/ channel: /);
  });
});

describe('what a peer says of a transaction', () => {
  it('counts for nothing where it differs', () => {
    expect(() => verifier.accept(delivered(channel.assemble([tx()]), [11]))).toThrow(/: flags: .*MVCC_READ_CONFLICT/);
    const unendorsed = channel.assemble([tx({ endorsers: [[north, north.peer]] })]);
    expect(() => follow(channel).accept(delivered(unendorsed))).toThrow(/: flags: .*ENDORSEMENT_POLICY_FAILURE/);
    expect(follow(channel).accept(delivered(unendorsed, [10])).transactions).toEqual([]);
  });
});

describe('a transaction', () => {
  const faults: Record<string, [string, () => Partial<MadeTransaction>]> = {
    'of a creator that is not on the channel': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ creator: [stranger, stranger.user] }),
    ],
    'of a creator whose certificate another authority signed': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ creator: [north, stranger.user] }),
    ],
    'of an authority as creator': ['BAD_CREATOR_SIGNATURE', () => ({ creator: [north, north.root] })],
    'of a creator without a role': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ creator: [north, makeCertificate('nobody', north.authority)] }),
    ],
    'of a creator with two roles': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ creator: [north, makeCertificate('both', north.authority, { units: ['peer', 'admin'] })] }),
    ],
    'of a creator below the root where an intermediate authority is there to sign': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ creator: [south, makeCertificate('direct', south.root, { units: ['client'] })] }),
    ],
    'whose creator’s signature is of another': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ change: { creatorSignature: (message: Uint8Array) => signAs(north.admin, message) } }),
    ],
    'whose signature is the second one that verifies': [
      'BAD_CREATOR_SIGNATURE',
      () => ({ change: { creatorSignature: (message: Uint8Array) => signAs(north.user, message, { high: true }) } }),
    ],
    'with the id of another': ['BAD_PROPOSAL_TXID', () => ({ change: { id: 'ab'.repeat(32) } })],
    'with other arguments than were endorsed': [
      'INVALID_ENDORSER_TRANSACTION',
      () => ({ change: { args: ['apply', 'other'] } }),
    ],
    'endorsed by one of three organisations': [
      'ENDORSEMENT_POLICY_FAILURE',
      () => ({ endorsers: [[north, north.peer]] }),
    ],
    'endorsed twice by one organisation': [
      'ENDORSEMENT_POLICY_FAILURE',
      () => ({
        endorsers: [
          [north, north.peer],
          [north, makeCertificate('peer1', north.authority, { units: ['peer'] })],
        ],
      }),
    ],
    'endorsed by one that is no peer': [
      'ENDORSEMENT_POLICY_FAILURE',
      () => ({
        endorsers: [
          [north, north.peer],
          [south, south.user],
        ],
      }),
    ],
    'endorsed by strangers': [
      'ENDORSEMENT_POLICY_FAILURE',
      () => ({
        endorsers: [
          [north, north.peer],
          [stranger, stranger.peer],
        ],
      }),
    ],
    'whose endorsements are over another response': [
      'ENDORSEMENT_POLICY_FAILURE',
      () => ({ change: { endorserSignature: () => signAs(north.peer, Buffer.from('other')) } }),
    ],
    'for another channel': ['TARGET_CHAIN_NOT_FOUND', () => ({ channel: 'elsewhere' })],
    'that read a key which was not there': [
      'MVCC_READ_CONFLICT',
      () => ({ reads: [{ key: 'a', version: [1, 0] as const }] }),
    ],
  };
  it.each(Object.keys(faults))('%s does not count', (name) => {
    const [verdict, change] = faults[name]!;
    expect(verdicts(tx(change()))).toEqual([verdict]);
  });

  it('of a revoked creator does not count, though only a list of its own authority revokes', () => {
    const revoking = (list: Uint8Array): string[] => {
      const strict = { ...north, revocations: [list] };
      channel = new MadeChannel({ members: [strict, south, office], ordering });
      verifier = follow(channel);
      return verdicts(tx());
    };
    expect(revoking(makeRevocations(north.authority, [north.user]))).toEqual(['BAD_CREATOR_SIGNATURE']);
    expect(revoking(makeRevocations(north.authority, [north.admin]))).toEqual(['VALID']);
    expect(revoking(makeRevocations(north.authority, [north.user], stranger.root))).toEqual(['VALID']);
  });

  it('of a certificate that has expired since counts: the past does not change with the clock', () => {
    const from = Date.UTC(2026, 0, 2);
    const old = makeCertificate('old', north.authority, { units: ['client'], from, to: from + 1000 });
    expect(verdicts(tx({ creator: [north, old] }))).toEqual(['VALID']);
    const early = makeCertificate('early', north.authority, { units: ['client'], from: from - YEAR, to: from + YEAR });
    expect(verdicts(tx({ creator: [north, early] }))).toEqual(['BAD_CREATOR_SIGNATURE']);
  });

  it('counts once: not again in its block, nor later', () => {
    const twice = tx();
    channel.add([twice, twice]);
    expect(verifier.accept(channel.blocks[1]!).transactions).toHaveLength(1);
    expect(verdicts(twice)).toEqual(['DUPLICATE_TXID']);
  });
});

describe('versions of keys', () => {
  const write = (key: string) => tx({ writes: { [key]: 'x' } });
  const reading = (key: string, version?: readonly [number, number]) =>
    tx({ reads: [version === undefined ? { key } : { key, version }], writes: { done: 'x' } });

  it('let a transaction count that read what stands there', () => {
    expect(verdicts(write('a'))).toEqual(['VALID']);
    expect(verdicts(reading('a', [1, 0]))).toEqual(['VALID']);
    expect(verdicts(reading('a', [1, 1]))).toEqual(['MVCC_READ_CONFLICT']);
    expect(verdicts(reading('a'))).toEqual(['MVCC_READ_CONFLICT']);
  });
  it('of two that read and write a key in one block let the first count', () => {
    const both = () => tx({ reads: [{ key: 'a' }], writes: { a: 'x' } });
    expect(verdicts(both(), both())).toEqual(['VALID', 'MVCC_READ_CONFLICT']);
  });
  it('are not moved by a transaction that does not count', () => {
    expect(verdicts(tx({ writes: { a: 'x' }, endorsers: [] }), reading('a'))).toEqual([
      'ENDORSEMENT_POLICY_FAILURE',
      'VALID',
    ]);
  });
  it('find keys that came into, left or changed within a range', () => {
    const ranging = (...reads: readonly ReturnType<typeof readOf>[]) => tx({ ranges: [rangeOf('a/', 'a0', reads)] });
    expect(verdicts(write('a/1'), write('a/2'), write('b'))).toEqual(['VALID', 'VALID', 'VALID']);
    expect(verdicts(ranging(readOf('a/1', [1, 0]), readOf('a/2', [1, 1])))).toEqual(['VALID']);
    expect(verdicts(ranging(readOf('a/1', [1, 0])))).toEqual(['PHANTOM_READ_CONFLICT']);
    expect(verdicts(ranging(readOf('a/1', [1, 1]), readOf('a/2', [1, 1])))).toEqual(['PHANTOM_READ_CONFLICT']);
    expect(verdicts(write('a/3'), ranging(readOf('a/1', [1, 0]), readOf('a/2', [1, 1])))).toEqual([
      'VALID',
      'PHANTOM_READ_CONFLICT',
    ]);
  });
});

describe('a change of the channel’s configuration', () => {
  const BOARD: readonly (readonly [MadeOrganisation, Made])[] = [
    [north, north.admin],
    [south, south.admin],
  ];
  /** Lets a fourth organisation join the application. */
  function joining(signers: readonly (readonly [MadeOrganisation, Made])[], result?: 'other'): Uint8Array {
    const old = channel.config.getChannelGroup()!.getGroupsMap().get('Application')!;
    const grown = channelGroup({ ...channel.options, members: [...channel.options.members, stranger] });
    const application = grown.getGroupsMap().get('Application')!;
    application.setVersion(old.getVersion() + 1);
    const inPlace = channelGroup(channel.options);
    const whole = channelGroup(channel.options);
    whole.getGroupsMap().set('Application', application);
    const stated = channelGroup(channel.options);
    stated.getGroupsMap().set('Application', application);
    if (result === 'other')
      stated.getGroupsMap().get('Orderer')!.getGroupsMap().set('more', organisationGroup(stranger));
    return channel.update(inPlace, whole, stated, signers);
  }

  it('that a majority of the administrators signed takes effect', () => {
    verifier.accept(channel.add([joining(BOARD)]));
    expect([...verifier.config.organisations.keys()]).toContain('StrangerMSP');
    const three = [...MAJORITY, [stranger, stranger.peer]] as const;
    expect(verdicts(tx(), tx({ endorsers: three }))).toEqual(['ENDORSEMENT_POLICY_FAILURE', 'VALID']);
  });
  it.each([
    ['one administrator signed alone', () => joining([[north, north.admin]])],
    [
      'members signed who are no administrators',
      () =>
        joining([
          [north, north.user],
          [south, south.user],
        ]),
    ],
    ['the orderers alone want', () => joining([[ordering, ordering.admin]])],
    ['leads elsewhere than its update says', () => joining(BOARD, 'other')],
  ])('that %s ends in FORGED_LEDGER', (_name, make) => {
    expect(() => verifier.accept(channel.add([make()]))).toThrow(/: config: /);
  });
});

describe('a Byzantine fault tolerant ordering service', () => {
  const consenters = [1, 2, 3, 4].map((n) =>
    makeCertificate(`orderer${n}`, ordering.authority, { units: ['orderer'] }),
  );
  it.each([
    [4, true],
    [3, true],
    [2, false],
  ])('signs a block with %i of 4: %s', (count, holds) => {
    channel = new MadeChannel({ members: [north, south, office], ordering, consenters });
    const take = () => follow(channel).accept(channel.assemble([tx()], { signers: consenters.slice(0, count) }));
    if (holds) expect(take().transactions).toHaveLength(1);
    else expect(take).toThrow(/: orderer-signature: /);
  });
  it('does not let one consenter sign for three', () => {
    channel = new MadeChannel({ members: [north, south, office], ordering, consenters });
    const [first] = consenters;
    expect(() => follow(channel).accept(channel.assemble([tx()], { signers: [first!, first!, first!] }))).toThrow(
      /: orderer-signature: /,
    );
  });
});
