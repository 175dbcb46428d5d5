import type { RosterStatus } from '../hospital/pool/pool.ts';

/** One line for people: whom with, how much, of how much. */
export function describeStock({ roster, setup, triples }: RosterStatus, target: number): string {
  const made = triples === 0 && !setup ? 'nothing made ahead' : `${count(triples)} triples of ${count(target)}`;
  return `${roster.join(', ')}: ${made}${setup ? '' : '; the next query sets up keys first'}`;
}

const count = (value: number): string => value.toLocaleString('en-US');
