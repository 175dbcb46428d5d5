import type { QueryInput } from '../../protocol/query.ts';
import { datasetSchema, type DatasetSchema, type NumberColumn } from '../../protocol/schema.ts';
import { CHAPTERS } from './chapters.ts';

const flag = (name: string, description: string): NumberColumn => ({
  name,
  type: 'number',
  decimals: 0,
  minimum: '0',
  maximum: '1',
  codes: ['0', '1'],
  description,
});

const measure = (name: string, decimals: number, minimum: string, maximum: string, unit: string): NumberColumn => ({
  name,
  type: 'number',
  decimals,
  minimum,
  maximum,
  unit,
});

/** What every synthetic hospital maps to. Bounds are the generator's clamps, not the extremes that occurred. */
export const ENCOUNTERS_SCHEMA: DatasetSchema = datasetSchema.parse({
  dataset: 'encounters',
  version: 1,
  description: 'Synthetic inpatient encounters; no real patient is in them.',
  columns: [
    { name: 'patient_id', type: 'identifier' },
    measure('age', 0, '18', '99', 'years'),
    { name: 'sex', type: 'category', codes: ['F', 'M'], labels: { F: 'female', M: 'male' } },
    { name: 'admission_type', type: 'category', codes: ['elective', 'emergency', 'transfer'] },
    {
      name: 'diagnosis_group',
      type: 'category',
      description: 'Chapter of ICD-10 of the main diagnosis',
      codes: CHAPTERS.map(({ code }) => code),
      labels: Object.fromEntries(CHAPTERS.map(({ code, label }) => [code, label])),
    },
    measure('systolic', 0, '60', '260', 'mmHg'),
    measure('diastolic', 0, '30', '160', 'mmHg'),
    measure('heart_rate', 0, '30', '220', '/min'),
    measure('bmi', 1, '12', '70', 'kg/m2'),
    measure('creatinine', 2, '0.2', '20', 'mg/dL'),
    measure('hba1c', 1, '3.5', '18', '%'),
    measure('length_of_stay', 0, '0', '180', 'days'),
    flag('smoker', 'Smokes at admission'),
    flag('diabetic', 'Known diabetes mellitus'),
    flag('died_30d', 'Died within 30 days of admission'),
  ],
});

export const EXAMPLE_QUERY: QueryInput = {
  dataset: 'encounters@1',
  purpose: 'GRU',
  title: 'Blood pressure, kidney function and outcome by sex and age',
  cohort: { column: 'admission_type', ne: 'transfer' },
  groupBy: [{ column: 'sex' }, { column: 'age', bins: [18, 40, 55, 70, 85, 100] }],
  statistics: [
    { count: {} },
    { mean: { column: 'systolic' } },
    { sd: { column: 'systolic' } },
    { mean: { column: 'creatinine' } },
    { mean: { column: 'length_of_stay' } },
    { mean: { column: 'died_30d' } },
    { correlation: { columns: ['age', 'systolic'] } },
    { table: { columns: ['diabetic', 'smoker'] } },
  ],
};
