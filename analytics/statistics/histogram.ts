import { resolveAxis } from '../axis.ts';
import type { OfColumn, Planner } from './statistic.ts';

/** Rows in each bin of a number, or with each code of a category. Values are named `histogram(age)[40,50)` and `histogram(cp)[1]`. */
export const histogram: Planner<OfColumn & { readonly bins?: readonly number[] | undefined }> = (
  request,
  scope,
  place,
) => {
  const axis = resolveAxis(request, scope, place);
  const bucket = (label: string | null): string => (axis.edges === undefined ? `[${label ?? ''}]` : (label ?? ''));
  return {
    terms: [],
    table: [axis],
    names: () => axis.labels.map((label) => `histogram(${axis.column})${bucket(label)}`),
    decode: (cells) => cells.map(Number),
  };
};
