import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { NetworkDescription, Programs } from '../network/index.ts';
import { runProgram } from '../network/run.ts';

/**
 * Puts an organisation's revocation list into a channel's configuration, as its administrator does with Fabric's own
 * programs: fetch the configuration, change it, have the difference computed, submit that.
 */
export async function publishRevocations(
  programs: Programs,
  network: NetworkDescription,
  organisation: string,
  list: string,
): Promise<void> {
  const { identities, mspId } = network.organisations.find(({ name }) => name === organisation)!;
  const channel = network.channels[0]!.name;
  const [orderer] = network.orderers;
  const msp = join(identities.admin.certificate, '../..');
  const home = join(msp, '../../../../../..', organisation);
  const folder = mkdtempSync(join(home, 'revocation-'));
  const file = (name: string): string => join(folder, name);
  const ordering = ['-c', channel, '-o', orderer!.endpoint, '--tls', '--cafile', orderer!.tlsRoot];
  const peer = (...args: readonly string[]): Promise<string> =>
    runProgram(programs.path.peer, args, { FABRIC_CFG_PATH: home, CORE_PEER_MSPCONFIGPATH: msp });
  const configtxlator = (...args: readonly string[]): Promise<string> =>
    runProgram(join(dirname(programs.path.peer), 'configtxlator'), args);
  const decode = async (type: string, input: string): Promise<unknown> => {
    await configtxlator('proto_decode', '--type', type, '--input', file(input), '--output', file(`${input}.json`));
    return JSON.parse(readFileSync(file(`${input}.json`), 'utf8'));
  };
  const encode = async (type: string, document: unknown, output: string): Promise<void> => {
    writeFileSync(file(`${output}.json`), JSON.stringify(document));
    await configtxlator('proto_encode', '--type', type, '--input', file(`${output}.json`), '--output', file(output));
  };

  await peer('channel', 'fetch', 'config', file('config.block'), ...ordering);
  const block = (await decode('common.Block', 'config.block')) as ConfigBlock;
  const { config } = block.data.data[0]!.payload.data;
  await encode('common.Config', config, 'before');
  const member = config.channel_group.groups.Application.groups[mspId]!;
  member.values.MSP.value.config.revocation_list = [Buffer.from(list).toString('base64')];
  await encode('common.Config', config, 'after');
  const files = ['--original', file('before'), '--updated', file('after'), '--output', file('update')];
  await configtxlator('compute_update', '--channel_id', channel, ...files);
  const update = await decode('common.ConfigUpdate', 'update');
  const header = { channel_header: { channel_id: channel, type: 2 } };
  await encode('common.Envelope', { payload: { header, data: { config_update: update } } }, 'envelope');
  await peer('channel', 'update', '-f', file('envelope'), ...ordering);
}

interface ConfigBlock {
  readonly data: { readonly data: readonly { readonly payload: { readonly data: { readonly config: Config } } }[] };
}
interface Config {
  readonly channel_group: {
    readonly groups: { readonly Application: { readonly groups: Record<string, MemberGroup> } };
  };
}
interface MemberGroup {
  readonly values: { readonly MSP: { readonly value: { readonly config: { revocation_list?: string[] } } } };
}
