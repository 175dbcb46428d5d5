import { Misuse, type ErrorDetail } from '../protocol/errors.ts';

/** A mistake in a query: `place` is the path in the query document, as "statistics.2.mean.column". */
export function badQuery(place: string, message: string, detail?: ErrorDetail): Misuse {
  return new Misuse('BAD_QUERY', place === '' ? message : `${place}: ${message}`, detail);
}
