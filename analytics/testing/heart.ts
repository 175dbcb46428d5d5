import { schemaOf } from './world.ts';

/** A dataset with a column of each kind. */
export const heart = schemaOf([
  { name: 'patient', type: 'identifier' },
  { name: 'age', type: 'number', decimals: 0, minimum: '0', maximum: '120', unit: 'years' },
  { name: 'sex', type: 'category', codes: ['0', '1'], labels: { 0: 'female', 1: 'male' } },
  { name: 'chol', type: 'number', decimals: 0, minimum: '0', maximum: '700' },
  { name: 'oldpeak', type: 'number', decimals: 1, minimum: '-3', maximum: '10' },
  { name: 'num', type: 'number', decimals: 0, minimum: '0', maximum: '4', codes: ['0', '1', '2', '3', '4'] },
  { name: 'income', type: 'number', decimals: 2, minimum: '0', maximum: '200000' },
]);
