import { ledgerCases } from '../testing/cases.ts';
import { connectTo } from './testing/ledgers.ts';
import { fabric, openChannel, PATIENCE } from './testing/network.ts';

ledgerCases(
  'Fabric channel',
  async ({ founding }) => {
    const network = await openChannel('cases');
    return {
      connect: () => connectTo(network, { founding }),
      stop: () => Promise.resolve(),
    };
  },
  { msp: 'OfficeMSP', skip: fabric === undefined, timeout: PATIENCE },
);
