import type { SessionStatus } from '../../protocol/frame.ts';
import type { LiveSession } from './live.ts';
import type { Progress } from './progress.ts';

/** Tells a hospital's own word on a session as progress of its query; of an error kind and code alone. */
export function reportTo(
  progress: Progress,
  session: LiveSession,
  { hospital, status }: { hospital: string; status: SessionStatus },
): void {
  const { step, stage, error } = status;
  const event = { session: session.id, hospital, step };
  if (stage !== 'failed') progress.add(session.query, { stage, ...event });
  else {
    const { kind, code } = error ?? { kind: 'Fault' as const, code: 'INTERNAL' };
    progress.add(session.query, { stage, ...event, error: { kind, code } });
  }
}
