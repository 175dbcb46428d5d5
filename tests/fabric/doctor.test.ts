import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import type { FabricAddress } from '../../ledger/address.ts';
import { FabricLedger } from '../../ledger/fabric/ledger.ts';
import { memberAddress } from '../../ledger/fabric/network/index.ts';
import { Authority, type IdentityFiles } from '../../ledger/fabric/testing/authority.ts';
import { makeCertificate } from '../../ledger/fabric/testing/certificates.ts';
import { fabric, openChannel, PATIENCE } from '../../ledger/fabric/testing/network.ts';
import { channelWorld } from '../../ledger/fabric/testing/world.ts';
import { makeFolder, removeFolder, runCommand, BIN } from '../end-to-end/world.ts';

const folder = makeFolder('fabric-doctor');
const world = channelWorld();
const DAY = 24 * 3600_000;
let runs = 0;

beforeAll(() => writeFileSync(join(folder, 'north.pem'), world.members.north.identity.toPem(), { mode: 0o600 }));
afterAll(() => removeFolder(folder));

/** What the doctor says of a member's configuration: each line with its mark, and whether all is well. */
async function doctor(address: FabricAddress): Promise<{ readonly code: number | null; readonly told: string }> {
  const file = join(folder, `north-${++runs}.json`);
  const member = { organisation: 'north', keyFile: 'north.pem', stateFolder: `state-${runs}` };
  writeFileSync(file, JSON.stringify({ ...member, ledger: { fabric: address } }));
  const { code, stdout, stderr } = await runCommand(
    process.execPath,
    [BIN, 'doctor', '--config', file],
    PATIENCE / 1000,
  );
  return { code, told: stdout + stderr };
}
const signedBy = ({ certificate, privateKey }: IdentityFiles): Pick<FabricAddress, 'identity'> => ({
  identity: { certFile: certificate, keyFile: privateKey },
});
/** Nothing listens there. */
const SILENT = '127.0.0.1:9';

describe('the doctor, of a configuration for Fabric', { timeout: PATIENCE }, () => {
  const root = makeCertificate('ca', undefined);
  const file = (name: string, content: Uint8Array | string): string => {
    writeFileSync(join(folder, name), content);
    return join(folder, name);
  };
  /** Certificate and key made here, good or not for Fabric's peers. */
  function address(change: Partial<FabricAddress> = {}, until = Date.now() + 90 * DAY): FabricAddress {
    const made = makeCertificate('north', root, { to: until });
    const privateKey = made.privateKey.export({ type: 'pkcs8', format: 'pem' });
    return {
      ...{ channel: 'consortium', chaincode: 'healthchain', mspId: 'NorthMSP' },
      ...signedBy({ certificate: file('cert.pem', made.pem), privateKey: file('key.pem', privateKey) }),
      gateways: [{ endpoint: SILENT, tlsRootFile: file('ca.pem', root.pem) }],
      ...change,
    };
  }
  afterEach(() => vi.unstubAllEnvs());

  it('says that the programs are not there, the certificate has expired, and no gateway answers', async () => {
    vi.stubEnv('FABRIC_BIN', join(folder, 'nowhere'));
    const { code, told } = await doctor(address({}, Date.now() - DAY));
    expect(code).toBe(1);
    expect(told).toMatch(/✓ Fabric programs: none to use here: .*peer, .* not found in FABRIC_BIN .*Only peers/);
    expect(told).toMatch(/! MSP identity: the certificate of NorthMSP expired on \d{4}-.*\n +Enrol a new one/);
    expect(told).toMatch(
      /! gateway 127\.0\.0\.1:9: the Fabric network did not answer .*ECONNREFUSED.*\n +See whether the peer/,
    );
    expect(told).toMatch(/! membership: not checked/);
  });
  it('says where a certificate cannot be read', async () => {
    const { code, told } = await doctor(address(signedBy({ certificate: join(folder, 'no.pem'), privateKey: 'no' })));
    expect(code).toBe(1);
    expect(told).toMatch(/! MSP identity: .*no\.pem cannot be read\n +Check ledger\.fabric\.identity/);
  });
  it('says that a key is another certificate’s', async () => {
    const { identity } = address();
    const key = file('root.pem', root.privateKey.export({ type: 'pkcs8', format: 'pem' }));
    const { told } = await doctor(address({ identity: { ...identity, keyFile: key } as FabricAddress['identity'] }));
    expect(told).toMatch(/! MSP identity: .*cert\.pem: the private key is not that of the certificate/);
  });
  it('says that an identity of a wallet is of another MSP', async () => {
    file(
      'south.id',
      JSON.stringify({ type: 'X.509', mspId: 'SouthMSP', credentials: { certificate: '', privateKey: '' } }),
    );
    const { told } = await doctor(address({ identity: { walletFolder: folder, label: 'south' } }));
    expect(told).toMatch(/! MSP identity: .*south\.id holds an identity of SouthMSP, not of NorthMSP\n +Name the MSP/);
  });
  it('says which certificate of a gateway cannot be read', async () => {
    const gateways = [{ endpoint: SILENT, tlsRootFile: join(folder, 'no-ca.pem') }];
    const { told } = await doctor(address({ gateways }));
    expect(told).toMatch(/✓ MSP identity: NorthMSP, certificate good until/);
    expect(told).toMatch(/! gateway 127\.0\.0\.1:9: .*no-ca\.pem cannot be read\n +Check ledger\.fabric\.gateways/);
  });
});

describe.skipIf(fabric === undefined)('the doctor, of a real channel', { timeout: PATIENCE }, () => {
  let good: FabricAddress;
  let authority: Authority;

  beforeAll(async () => {
    const network = await openChannel('doctor');
    authority = Authority.of(network, 'north');
    const office = memberAddress(network, 'office', network.channels.at(-1)!.name);
    const ledger = await FabricLedger.connect({ address: office, founding: world.founding, deadlineMs: PATIENCE / 2 });
    const { gateways, ...north } = memberAddress(network, 'north', office.channel);
    good = { ...north, gateways: gateways.slice(0, 2), consortium: ledger.consortium };
    await ledger.close();
  }, PATIENCE);

  const GATEWAY =
    /✓ gateway 127\.0\.0\.1:\d+: channel doctor-\S+ with \d+ blocks, chaincode healthchain: consortium "/g;
  const [LEDGER, MEMBER] = [/✓ ledger: 1 entries, verified, first block [0-9a-f]{64}/, /✓ membership: north, hospital/];

  it('finds nothing amiss where nothing is', async () => {
    const { code, told } = await doctor(good);
    expect(told).toMatch(/✓ Fabric programs: release 3\.\d+\.\d+, /);
    expect(told.match(GATEWAY)).toHaveLength(2);
    for (const line of [LEDGER, MEMBER]) expect(told).toMatch(line);
    expect({ code, told }).toMatchObject({ code: 0 });
    expect(told).not.toMatch(/^!/m);
  });

  it('names what alone is amiss, and goes on with the rest', async () => {
    const [first, second] = good.gateways;
    const flaws: readonly [FabricAddress, RegExp][] = [
      [{ ...good, ...signedBy(authority.issue()) }, /! MSP identity: the certificate of NorthMSP expires on/],
      [{ ...good, gateways: [{ ...first!, endpoint: SILENT }, second!] }, /! gateway 127\.0\.0\.1:9: .*did not answer/],
      [
        { ...good, gateways: [{ ...first!, tlsRootFile: second!.tlsRootFile }, second!] },
        /! gateway \S+ the peer’s TLS certificate does not verify .*\n +Check tlsRootFile/,
      ],
    ];
    for (const [address, says] of flaws) {
      const { code, told } = await doctor(address);
      expect(told).toMatch(says);
      for (const line of [GATEWAY, LEDGER, MEMBER]) expect(told).toMatch(line);
      expect(told).toContain('1 of these need attention');
      expect(code).toBe(1);
    }
  });

  it.each<[string, () => Partial<FabricAddress>, RegExp]>([
    ['of another MSP', () => ({ mspId: 'SouthMSP' }), /mspId/],
    ['that has expired', () => signedBy(authority.issue({ from: -120, until: -60 })), /expired on/],
    ['of an authority that the channel does not know', () => signedBy(stranger()), /good until/],
  ])('tells of an identity %s that no peer accepts it', async (_name, change, says) => {
    const { code, told } = await doctor({ ...good, ...change() });
    expect(told.match(/! gateway \S+ the peers of the channel do not accept this identity/g)).toHaveLength(2);
    expect(told).toMatch(/! ledger: the peers of the channel do not accept this identity/);
    expect(told).toMatch(says);
    expect(code).toBe(1);
  });
  const stranger = () => Authority.stranger(join(folder, 'stranger')).issue({ until: (90 * DAY) / 1000 });

  it('tells a channel that the peers do not have', async () => {
    const { code, told } = await doctor({ ...good, channel: 'nowhere' });
    expect(
      told.match(/! gateway \S+ this peer does not have the channel .*\n +Check ledger\.fabric\.channel/g),
    ).toHaveLength(2);
    expect(told).toMatch(/! ledger: this peer does not have the channel/);
    expect(code).toBe(1);
  });

  it('tells a chaincode that the channel does not have, before anybody founds another consortium', async () => {
    const { code, told } = await doctor({ ...good, chaincode: 'other' });
    expect(
      told.match(/! gateway \S+ no peer of the channel runs the chaincode .*\n +Check ledger\.fabric\.chaincode/g),
    ).toHaveLength(2);
    expect(told).toMatch(
      /! ledger: no consortium is founded .* with the chaincode other yet\n +Check ledger\.fabric\.chaincode/,
    );
    expect(code).toBe(1);
  });

  it.each([
    [
      'genesis block',
      { genesis: 'f'.repeat(64) },
      /block 0: genesis: the channel does not begin with the pinned genesis/,
    ],
    ['consortium', { consortium: 'f'.repeat(64) }, /contract: the channel was founded as another consortium/],
  ])('tells that the pinned %s is another’s', async (_name, pin, says) => {
    const { code, told } = await doctor({ ...good, ...pin });
    expect(told).toMatch(says);
    expect(told.match(GATEWAY)).toHaveLength(2);
    expect(code).toBe(1);
  });
});
