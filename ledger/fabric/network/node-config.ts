import { ORDERER_MSP, type Paths, type PlannedOrderer, type PlannedOrganisation } from './plan.ts';

/** The JSON that a peer reads as core.yaml: YAML takes JSON as it is. */
export function peerConfig(at: Paths, organisation: PlannedOrganisation): object {
  const { name, mspId, domain, port } = organisation;
  const address = `127.0.0.1:${port}`;
  const node = at.node(domain, 'peer0');
  const home = at.home(name);
  const tls = (file: string): object => ({ file: `${node}/tls/${file}` });
  return {
    peer: {
      id: `peer0.${domain}`,
      networkId: 'healthchain',
      listenAddress: address,
      address,
      // Only chaincode that a peer starts itself dials it; ours is dialled by the peer.
      chaincodeListenAddress: '127.0.0.1:0',
      chaincodeAddress: '127.0.0.1:0',
      localMspId: mspId,
      mspConfigPath: `${node}/msp`,
      fileSystemPath: `${home}/data`,
      gateway: { enabled: true, endorsementTimeout: '30s', broadcastTimeout: '30s', dialTimeout: '10s' },
      keepalive: keepalive(),
      gossip: gossip(address),
      tls: {
        enabled: true,
        clientAuthRequired: false,
        cert: tls('server.crt'),
        key: tls('server.key'),
        rootcert: tls('ca.crt'),
      },
      deliveryclient: {
        policy: 'cluster',
        connTimeout: '3s',
        reConnectBackoffThreshold: '2s',
        minimalReconnectInterval: '100ms',
        blockCensorshipTimeoutKey: '30s',
      },
      authentication: { timewindow: '15m' },
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      // Of these, ExpirationCheck refuses expired certificates and TimeWindowCheck old or future proposals.
      handlers: {
        authFilters: [{ name: 'DefaultAuth' }, { name: 'ExpirationCheck' }, { name: 'TimeWindowCheck' }],
        decorators: [{ name: 'DefaultDecorator' }],
        endorsers: { escc: { name: 'DefaultEndorsement' } },
        validators: { vscc: { name: 'DefaultValidation' } },
      },
      discovery: { enabled: true, authCacheEnabled: true, authCacheMaxSize: 1000, authCachePurgeRetentionRatio: 0.75 },
      limits: { concurrency: { endorserService: 2500, deliverService: 2500, gatewayService: 500 } },
      maxRecvMsgSize: 100 << 20,
      maxSendMsgSize: 100 << 20,
    },
    // No Docker: chaincode is a service, found by the external builder.
    vm: { endpoint: '' },
    chaincode: {
      mode: 'net',
      keepalive: 0,
      installTimeout: '300s',
      startuptimeout: '60s',
      executetimeout: '30s',
      system: { _lifecycle: 'enable', cscc: 'enable', lscc: 'enable', qscc: 'enable' },
      externalBuilders: [{ name: 'ccaas_builder', path: at.builder }],
      logging: { level: 'info', shim: 'warning' },
    },
    ledger: {
      state: { stateDatabase: 'goleveldb', totalQueryLimit: 100_000 },
      history: { enableHistoryDatabase: true },
      pvtdataStore: { purgeInterval: 100, deprioritizedDataReconcilerInterval: '60m' },
      snapshots: { rootDir: `${home}/data/snapshots` },
    },
    operations: { listenAddress: '127.0.0.1:0', tls: { enabled: false } },
    metrics: { provider: 'disabled' },
  };
}

const keepalive = (): object => ({
  interval: '7200s',
  timeout: '20s',
  minInterval: '60s',
  client: { interval: '60s', timeout: '20s' },
  deliveryClient: { interval: '60s', timeout: '20s' },
});

/**
 * Intervals for a network on one machine. With Fabric's defaults it can take 25 s until a gateway knows its endorsers, and
 * as long until it notices that one is gone.
 */
const gossip = (address: string): object => ({
  bootstrap: address,
  endpoint: address,
  externalEndpoint: address,
  useLeaderElection: false,
  orgLeader: true,
  membershipTrackerInterval: '500ms',
  maxBlockCountToStore: 10,
  maxPropagationBurstLatency: '10ms',
  maxPropagationBurstSize: 10,
  propagateIterations: 1,
  propagatePeerNum: 3,
  pullInterval: '500ms',
  pullPeerNum: 3,
  requestStateInfoInterval: '500ms',
  publishStateInfoInterval: '500ms',
  publishCertPeriod: '10s',
  dialTimeout: '3s',
  connTimeout: '2s',
  recvBuffSize: 20,
  sendBuffSize: 200,
  digestWaitTime: '100ms',
  requestWaitTime: '200ms',
  responseWaitTime: '500ms',
  aliveTimeInterval: '500ms',
  aliveExpirationTimeout: '2500ms',
  reconnectInterval: '1s',
  maxConnectionAttempts: 120,
  msgExpirationFactor: 20,
  pvtData: {
    pullRetryThreshold: '2s',
    transientstoreMaxBlockRetention: 20_000,
    pushAckTimeout: '3s',
    btlPullMargin: 10,
    reconcileBatchSize: 10,
    reconcileSleepInterval: '5s',
    reconciliationEnabled: true,
    implicitCollectionDisseminationPolicy: { requiredPeerCount: 0, maxPeerCount: 1 },
  },
  state: { enabled: false },
});

/** The JSON that an orderer reads as orderer.yaml. */
export function ordererConfig(at: Paths, { name, port, adminPort }: PlannedOrderer): object {
  const node = at.orderer(name);
  const home = at.home(name);
  const [Certificate, PrivateKey, ca] = ['server.crt', 'server.key', 'ca.crt'].map((file) => `${node}/tls/${file}`);
  return {
    General: {
      ListenAddress: '127.0.0.1',
      ListenPort: port,
      TLS: { Enabled: true, Certificate, PrivateKey, RootCAs: [ca], ClientAuthRequired: false },
      Cluster: { ClientCertificate: Certificate, ClientPrivateKey: PrivateKey, RootCAs: [ca], SendBufferSize: 100 },
      Keepalive: { ServerMinInterval: '60s', ServerInterval: '7200s', ServerTimeout: '20s' },
      LocalMSPDir: `${node}/msp`,
      LocalMSPID: ORDERER_MSP,
      BCCSP: { Default: 'SW', SW: { Hash: 'SHA2', Security: 256 } },
      Authentication: { TimeWindow: '15m' },
      BootstrapMethod: 'none',
      MaxRecvMsgSize: 100 << 20,
      MaxSendMsgSize: 100 << 20,
    },
    FileLedger: { Location: `${home}/data` },
    Consensus: { WALDir: `${home}/data/etcdraft/wal`, SnapDir: `${home}/data/etcdraft/snapshot` },
    ChannelParticipation: { Enabled: true, MaxRequestBodySize: '1 MB' },
    Admin: {
      ListenAddress: `127.0.0.1:${adminPort}`,
      TLS: { Enabled: true, Certificate, PrivateKey, RootCAs: [ca], ClientAuthRequired: true, ClientRootCAs: [ca] },
    },
    Operations: { ListenAddress: '127.0.0.1:0', TLS: { Enabled: false } },
    Metrics: { Provider: 'disabled' },
  };
}
