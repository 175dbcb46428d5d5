import { z } from 'zod';
import { COMMITTEE_SIZE } from '../mpc/committee/committee.ts';
import { organisationId } from '../protocol/names.ts';

/** What a node makes ahead while it has nothing else to do, for queries whose answers are decided on shares. */
export const precompute = z.strictObject({
  /** Triples to hold for each roster; 0 turns it off. */
  triples: z.int().min(0).max(100_000_000).default(500_000),
  /** Rosters to prepare for; `seen`: those that decided together before. In larger ones a committee decides, another each time. */
  rosters: z
    .union([z.literal('seen'), z.array(z.array(organisationId).min(2).max(COMMITTEE_SIZE)).max(100)])
    .default('seen'),
  /** Input masks for each triple, of all hospitals of a roster together. */
  masksPerTriple: z.number().min(0).max(16).default(1.8),
});
export type Precompute = z.infer<typeof precompute>;

export const NO_PRECOMPUTE: Precompute = { ...precompute.parse({}), triples: 0 };
