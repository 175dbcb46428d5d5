import { z } from 'zod';

/**
 * The release rule a query asks for. The strictest of query, dataset schema and every site's policy holds; a query
 * that asks for less than a floor is refused by name.
 */
export const releaseRule = z.strictObject({
  /** Fewest hospitals whose data the answer may rest on. */
  minimumHospitals: z.int().min(2).max(1000).default(3),
});
export type ReleaseRule = z.infer<typeof releaseRule>;

/** The floors that a dataset or a site sets; what is not named is not restricted further. */
export const releaseFloor = z.strictObject({ minimumHospitals: z.int().min(2).max(1000).optional() });
export type ReleaseFloor = z.infer<typeof releaseFloor>;
