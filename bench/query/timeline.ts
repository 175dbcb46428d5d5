import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';

const line = z.object({
  time: z.number(),
  msg: z.string(),
  session: z.string().optional(),
  stage: z.string().optional(),
});
type Stage = 'scanning' | 'scanned' | 'committed' | 'agreed' | 'opened';

/** What the researcher's side noted, in milliseconds since 1970. */
export interface Marks {
  readonly submitted: number;
  /** The last attempt: its roster may be smaller than the first one's. */
  session: { id: string; at: number; hospitals: readonly string[] } | undefined;
  readonly aborts: string[];
  lastShare: number;
  verified: number;
  decoded: number;
}

/** Where the time of a query went, in milliseconds; a part ends when the last hospital has finished it. The parts add up to `total`. */
export interface Split {
  readonly total: number;
  /** Submission, approvals by policy, and the coordinator's opening of the session. */
  readonly approve: number;
  /** Hellos and session keys. */
  readonly join: number;
  readonly scan: number;
  /** The Pedersen commitment and its ledger entry. */
  readonly commit: number;
  readonly agree: number;
  /** Journal, masking, sealing, and the sealed share on disk. */
  readonly share: number;
  /** Until the researcher has fetched, opened and added the last share. */
  readonly relay: number;
  /** Check against the commitments, and the receipt on the ledger. */
  readonly verify: number;
  readonly decode: number;
}
export const PARTS = ['approve', 'join', 'scan', 'commit', 'agree', 'share', 'relay', 'verify', 'decode'] as const;

/** Reads the hospitals' logs, which arrive a moment after the answer. */
export async function splitOf(marks: Marks, logFolder: string): Promise<Split> {
  const { session } = marks;
  if (session === undefined) throw new Error('the query had no session');
  for (let attempt = 0; attempt < 100; attempt++) {
    const stages = lastOfEach(
      session.hospitals.map((id) => readFileSync(join(logFolder, `${id}.log`), 'utf8')),
      session.id,
    );
    if (stages !== undefined) return assemble(marks, session.at, stages);
    await delay(100);
  }
  throw new Error('the hospitals’ logs do not show all stages of the session');
}

const STAGES: readonly Stage[] = ['scanning', 'scanned', 'committed', 'agreed', 'opened'];

/** When the last hospital reached each stage; undefined while a line is missing. */
function lastOfEach(logs: readonly string[], session: string): Record<Stage, number> | undefined {
  const last: Record<Stage, number> = { scanning: 0, scanned: 0, committed: 0, agreed: 0, opened: 0 };
  for (const log of logs) {
    const reached = new Map<string, number>();
    for (const text of log.split('\n')) {
      if (!text.includes(session)) continue;
      const { msg, stage, time } = line.parse(JSON.parse(text));
      reached.set(stage ?? msg, time);
    }
    for (const stage of STAGES) {
      const at = reached.get(stage);
      if (at === undefined) return undefined;
      last[stage] = Math.max(last[stage], at);
    }
  }
  return last;
}

function assemble(marks: Marks, session: number, stages: Record<Stage, number>): Split {
  return {
    total: marks.decoded - marks.submitted,
    approve: session - marks.submitted,
    join: stages.scanning - session,
    scan: stages.scanned - stages.scanning,
    commit: stages.committed - stages.scanned,
    agree: stages.agreed - stages.committed,
    share: stages.opened - stages.agreed,
    relay: marks.lastShare - stages.opened,
    verify: marks.verified - marks.lastShare,
    decode: marks.decoded - marks.verified,
  };
}
