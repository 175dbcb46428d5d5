import { Refusal } from '../../protocol/errors.ts';
import { NO_CONSORTIUM, type ActionOf, type SignedAction } from '../../protocol/ledger.ts';
import { changed, verifyCaller, type LedgerEvent, type Outcome } from './call.ts';
import { KEY } from './keys.ts';
import { enrol } from './organisations.ts';
import { isPresent, ROW, writeRow } from './rows.ts';
import type { State } from './state.ts';

/**
 * Founds the consortium: the first action of a ledger, signed by an admin that the action itself names. Whoever joins
 * later takes these first organisations on trust, by comparing the consortium id.
 *
 * Errors: `ALREADY_DONE`; `STALE` when signed for an existing consortium; `NOT_AUTHORIZED` when the caller is not one of
 * its admins; `BAD_SIGNATURE`; `ALREADY_DONE` for a name or key that is listed twice.
 */
export async function createConsortium(
  state: State,
  signed: SignedAction,
  action: ActionOf<'createConsortium'>,
  consortium: string,
): Promise<Outcome> {
  if (await isPresent(state, KEY.consortium)) {
    throw new Refusal('ALREADY_DONE', 'this ledger has its consortium already', {
      hint: 'Use an empty ledger folder or channel for another consortium.',
    });
  }
  if (signed.consortium !== NO_CONSORTIUM) {
    throw new Refusal('STALE', 'createConsortium must be signed for consortium zero', {
      hint: 'The consortium id comes into being with this action.',
    });
  }
  const founder = action.organisations.find(({ id }) => id === signed.caller.organisation);
  if (founder === undefined || !founder.roles.includes('admin')) {
    throw new Refusal('NOT_AUTHORIZED', 'a consortium is founded by one of the admins that it lists', {
      party: signed.caller.organisation,
      hint: 'List the founding organisation with the role admin.',
    });
  }
  if (founder.publicKey !== signed.caller.publicKey) {
    throw new Refusal('BAD_SIGNATURE', 'the founding key is not the one that the founder is listed with', {
      party: founder.id,
      hint: 'List the public key of the key file that signs.',
    });
  }
  verifyCaller(signed);
  await writeRow(state, KEY.consortium, ROW.consortium, {
    id: consortium,
    name: action.name,
    ...(action.tier === undefined ? {} : { tier: action.tier }),
  });
  const events: LedgerEvent[] = [];
  for (const organisation of action.organisations) events.push(await enrol(state, organisation));
  return changed(...events);
}
