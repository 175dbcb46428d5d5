import { Workspace } from '../bitkernels/load.ts';
import { Broadcasts } from '../boolean/broadcast.ts';
import type { RandomSource, Transport } from '../transport.ts';
import type { RosterSetup } from './setup.ts';

/** What every step of one preparation works with. */
export interface Workbench {
  readonly transport: Transport;
  readonly broadcasts: Broadcasts;
  readonly workspace: Workspace;
  readonly random: RandomSource;
  readonly setup: RosterSetup;
  /** The bits of Delta_i. */
  readonly keyBits: readonly number[];
}

export function openWorkbench(transport: Transport, random: RandomSource, setup: RosterSetup, name: string): Workbench {
  const broadcasts = new Broadcasts(transport, name);
  broadcasts.agreeOn(setup.id);
  return { transport, broadcasts, workspace: Workspace.open(), random, setup, keyBits: setup.keyBits() };
}
