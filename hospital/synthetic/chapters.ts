/** Patients of a kind, among whom the diagnoses are spread alike. */
export const BANDS = ['youngWomen', 'youngMen', 'middle', 'old'] as const;
export type Band = (typeof BANDS)[number];

export interface Chapter {
  readonly code: string;
  readonly label: string;
  /** Relative frequency in each band. */
  readonly weight: Readonly<Record<Band, number>>;
  /** Added to the logarithm of the length of stay. */
  readonly stay: number;
  /** Added to the log-odds of death within 30 days. */
  readonly death: number;
}

const chapter = (
  code: string,
  label: string,
  [youngWomen, youngMen, middle, old]: readonly [number, number, number, number],
  stay: number,
  death: number,
): Chapter => ({ code, label, weight: { youngWomen, youngMen, middle, old }, stay, death });

/** Chapters of ICD-10 by their letter: about the mix of a general hospital's inpatients. */
export const CHAPTERS: readonly Chapter[] = [
  chapter('A', 'Infectious diseases', [3, 4, 3, 4], 0.2, 0.5),
  chapter('C', 'Neoplasms', [4, 4, 14, 11], 0.3, 0.9),
  chapter('E', 'Endocrine and metabolic diseases', [3, 3, 4, 4], 0, -0.1),
  chapter('F', 'Mental disorders', [8, 13, 6, 2], 0.9, -1.5),
  chapter('G', 'Diseases of the nervous system', [4, 4, 5, 4], 0.1, -0.3),
  chapter('I', 'Diseases of the circulatory system', [4, 6, 19, 27], 0.1, 0.3),
  chapter('J', 'Diseases of the respiratory system', [5, 7, 7, 11], 0.1, 0.4),
  chapter('K', 'Diseases of the digestive system', [9, 13, 12, 9], -0.1, -0.2),
  chapter('M', 'Musculoskeletal diseases', [5, 8, 12, 7], 0, -1.4),
  chapter('N', 'Genitourinary diseases', [7, 5, 6, 6], -0.2, 0),
  chapter('O', 'Pregnancy and childbirth', [36, 0, 0, 0], -0.1, -4),
  chapter('R', 'Symptoms and abnormal findings', [6, 7, 5, 5], -0.7, -0.4),
  chapter('S', 'Injuries', [6, 26, 7, 10], 0, -0.3),
];
