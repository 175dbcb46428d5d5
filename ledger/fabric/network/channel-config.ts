import { ORDERER_MSP, type NetworkPlan, type Paths } from './plan.ts';

/** The one profile that configtxgen is asked for. */
export const PROFILE = 'Consortium';

/**
 * The JSON that configtxgen reads as configtx.yaml: who is a member of a channel, who orders, and whose agreement changes
 * what. Endorsement and administration take the majority of the organisations.
 */
export function channelConfig(at: Paths, plan: NetworkPlan): object {
  return {
    Profiles: {
      [PROFILE]: {
        Policies: channelPolicies(),
        Capabilities: { V3_0: true },
        Orderer: orderer(at, plan),
        Application: {
          Policies: { ...channelPolicies(), ...majority('LifecycleEndorsement'), ...majority('Endorsement') },
          Capabilities: { V2_5: true },
          Organizations: plan.organisations.map(({ mspId, domain, port }) => ({
            Name: mspId,
            ID: mspId,
            MSPDir: at.organisationMsp(domain),
            Policies: {
              Readers: signature(mspId, 'admin', 'peer', 'client'),
              Writers: signature(mspId, 'admin', 'client'),
              Admins: signature(mspId, 'admin'),
              Endorsement: signature(mspId, 'peer'),
            },
            AnchorPeers: [{ Host: '127.0.0.1', Port: port }],
          })),
        },
      },
    },
  };
}

function orderer(at: Paths, plan: NetworkPlan): object {
  return {
    OrdererType: plan.consensus === 'bft' ? 'BFT' : 'etcdraft',
    BatchTimeout: '50ms',
    BatchSize: { MaxMessageCount: 500, AbsoluteMaxBytes: '10 MB', PreferredMaxBytes: '2 MB' },
    Capabilities: { V2_0: true },
    Policies: { ...channelPolicies(), BlockValidation: { Type: 'ImplicitMeta', Rule: 'ANY Writers' } },
    ...(plan.consensus === 'bft' ? bft(at, plan) : raft(at, plan)),
    Organizations: [
      {
        Name: ORDERER_MSP,
        ID: ORDERER_MSP,
        MSPDir: at.ordererMsp,
        OrdererEndpoints: plan.orderers.map(({ port }) => `127.0.0.1:${port}`),
        Policies: {
          Readers: signature(ORDERER_MSP, 'member'),
          Writers: signature(ORDERER_MSP, 'member'),
          Admins: signature(ORDERER_MSP, 'admin'),
        },
      },
    ],
  };
}

const consenter = (at: Paths, { name, port }: NetworkPlan['orderers'][number]): object => ({
  Host: '127.0.0.1',
  Port: port,
  ClientTLSCert: `${at.orderer(name)}/tls/server.crt`,
  ServerTLSCert: `${at.orderer(name)}/tls/server.crt`,
});

const raft = (at: Paths, { orderers }: NetworkPlan): object => ({
  EtcdRaft: {
    Consenters: orderers.map((each) => consenter(at, each)),
    Options: {
      TickInterval: '100ms',
      ElectionTick: 10,
      HeartbeatTick: 1,
      MaxInflightBlocks: 5,
      SnapshotIntervalSize: '16 MB',
    },
  },
});

const bft = (at: Paths, { orderers }: NetworkPlan): object => ({
  ConsenterMapping: orderers.map((each, i) => ({
    ID: i + 1,
    MSPID: ORDERER_MSP,
    Identity: `${at.orderer(each.name)}/msp/signcerts/${each.name}.orderer.example.com-cert.pem`,
    ...consenter(at, each),
  })),
  SmartBFT: {
    RequestBatchMaxCount: 100,
    // A number: here "10 MB" is not understood.
    RequestBatchMaxBytes: 10 << 20,
    RequestBatchMaxInterval: '50ms',
    IncomingMessageBufferSize: 200,
    RequestPoolSize: 400,
    RequestForwardTimeout: '500ms',
    RequestComplainTimeout: '20s',
    RequestAutoRemoveTimeout: '3m',
    ViewChangeResendInterval: '5s',
    ViewChangeTimeout: '20s',
    LeaderHeartbeatTimeout: '10s',
    LeaderHeartbeatCount: 10,
    CollectTimeout: '1s',
    SyncOnStart: true,
    SpeedUpViewChange: false,
  },
});

const implicit = (name: string, rule: string): Record<string, object> => ({
  [name]: { Type: 'ImplicitMeta', Rule: `${rule} ${name}` },
});
const majority = (name: string): Record<string, object> => ({
  [name]: { Type: 'ImplicitMeta', Rule: 'MAJORITY Endorsement' },
});
const channelPolicies = (): Record<string, object> => ({
  ...implicit('Readers', 'ANY'),
  ...implicit('Writers', 'ANY'),
  ...implicit('Admins', 'MAJORITY'),
});
const signature = (mspId: string, ...roles: readonly string[]): object => ({
  Type: 'Signature',
  Rule: `OR(${roles.map((role) => `'${mspId}.${role}'`).join(', ')})`,
});
