import type { ReleaseRule } from '../release.ts';

/** The rule of public and made-up data: every cell opens, whatever its size. For tests and bench only. */
export const everythingOpens = (minimumHospitals = 2): ReleaseRule => ({
  minimumCell: 1,
  insiderRule: false,
  minimumHospitals,
  zeroCells: 'open',
});
