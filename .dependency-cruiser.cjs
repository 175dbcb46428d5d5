/** The arrows of ARCHITECTURE.md: imports point downward only, and never in a circle. */
const layer = (name, from, forbidden) => ({
  name,
  severity: 'error',
  comment: `${from} may not import ${forbidden}: see the folder map in ARCHITECTURE.md`,
  from: { path: `^${from}/`, pathNot: '\\.test\\.ts$' },
  to: { path: `^(${forbidden})/` },
});
module.exports = {
  forbidden: [
    {
      name: 'no-circular',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    layer(
      'protocol-is-the-ground',
      'protocol',
      'mpc|analytics|ledger|hospital|coordinator|researcher|console|cli|examples|bench|tests',
    ),
    layer('mpc-stands-alone', 'mpc', 'analytics|ledger|hospital|coordinator|researcher|cli|examples|bench|tests'),
    layer('analytics-stands-alone', 'analytics', 'mpc|ledger|hospital|coordinator|researcher|cli|examples|bench|tests'),
    layer('ledger-stands-alone', 'ledger', 'mpc|analytics|hospital|coordinator|researcher|cli|examples|bench|tests'),
    layer('hospital-is-a-process', 'hospital', 'coordinator|researcher|cli|examples|bench|tests'),
    layer('coordinator-is-a-process', 'coordinator', 'hospital|researcher|cli|mpc|examples|bench|tests'),
    layer('researcher-is-a-process', 'researcher', 'hospital|coordinator|cli|examples|bench|tests'),
    layer('cli-is-the-top', 'cli', 'examples|bench|tests'),
    layer(
      'console-runs-in-browsers',
      'console',
      'mpc|analytics|ledger|hospital|coordinator|researcher|cli|examples|bench|tests',
    ),
    {
      name: 'testing-tools-stay-in-tests',
      severity: 'error',
      comment: 'the test world can seed randomness and corrupt messages; production code must not reach it',
      from: { pathNot: '(\\.test\\.ts$)|^(tests|bench)/|/testing/' },
      to: { path: '/testing/' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: 'node_modules' },
    exclude: { path: 'mpc/(bit)?kernels/assembly' },
  },
};
