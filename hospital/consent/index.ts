export { Cohorts } from './cohorts.ts';
export { SiteConsent, type ConsentBasis, type ConsentOptions, type Obstacle } from './consent.ts';
export { PatientKeys } from './patient-keys.ts';
