import { z } from 'zod';
import { toHex } from './bytes.ts';
import { hashDocument } from './canonical.ts';
import { LABEL } from './labels.ts';
import { digest, organisationId, point } from './names.ts';

/**
 * What the hospitals decided on shares before a step opened: public, the same at all of them, signed by each with its
 * share. Answers made on shares alone are in it; they rest on the hospitals' word, not on the commitments.
 */
export const outcome = z.strictObject({
  /** The cells that open, as a set: one bit a cell, least significant first. */
  released: z.base64().max(1_400_000),
  /** A_i of each hospital, in roster order, for the cells that stay closed; none where every cell opens. */
  announcements: z.array(point).max(1000),
  /** Values opened on shares, by the plan's order of searches, then group; -1 where withheld. */
  answers: z.array(z.array(z.int().min(-1)).max(1_000_000)).max(1000),
  /** Who computed on shares for all hospitals, and the coin that drew them; left out where all hospitals did. */
  committee: z.strictObject({ coin: digest, members: z.array(organisationId).min(2).max(8) }).optional(),
});
export type Outcome = z.infer<typeof outcome>;

/** Most bytes of an outcome's canonical form. */
export const OUTCOME_LIMIT = 16 * 1024 * 1024;

export const outcomeDigest = (decided: Outcome): string => toHex(hashDocument(LABEL.outcome, decided));
