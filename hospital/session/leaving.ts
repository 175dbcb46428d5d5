import type { Logger } from 'pino';
import type { Ledger, Member } from '../../ledger/ledger.ts';
import { asHealthchainError, type HealthchainError } from '../../protocol/errors.ts';
import { abortReason, type AbortReason } from '../../protocol/ledger.ts';

/** Somebody was away, and nobody is at fault: the next attempt may be with the same hospitals. */
const AWAY: ReadonlySet<string> = new Set(['COORDINATOR_DOWN', 'LEDGER_DOWN', 'NETWORK', 'PEER_GONE']);
/** The data could not be read as configured. */
const UNREADABLE: ReadonlySet<string> = new Set(['BAD_FILE', 'BAD_CONFIG']);

function reasonOf({ code }: HealthchainError): AbortReason {
  if (AWAY.has(code)) return 'DROP_OUT';
  if (UNREADABLE.has(code)) return 'DATA';
  return abortReason.safeParse(code).data ?? 'INTERNAL';
}

/** Records on the ledger why a hospital leaves a session, so that all others end it too. Does not reject. */
export async function recordLeaving(
  { ledger, member, log }: { readonly ledger: Ledger; readonly member: Member; readonly log: Logger },
  session: string,
  error: HealthchainError,
): Promise<void> {
  const reason = reasonOf(error);
  // Only this hospital itself is named, for its own data. Whom an Abort suspects stays in the log: a frame that does
  // not open may be the relay's work as well as its sender's, and a ledger must not name the innocent.
  const blame = reason === 'DATA' ? { blame: member.organisation } : {};
  const round = error.round === undefined ? {} : { round: error.round };
  try {
    await ledger.submit(member, { type: 'abortSession', session, reason, ...blame, ...round });
  } catch (cause) {
    log.warn({ session, code: asHealthchainError(cause, () => error).code }, 'could not record the abort');
  }
}
