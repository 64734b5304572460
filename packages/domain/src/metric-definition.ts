import { z } from 'zod';
import { compileQuery } from './compile-query.ts';
import type { MetricQuery } from './metric-query.ts';
import { ComparisonSpec } from './rule-spec.ts';

/** What a saved metric reads, in canonical words with every default filled in: as it is stored and shown. */
export const SavedQuery = ComparisonSpec.pick({
  metric: true,
  measure: true,
  dim: true,
  name: true,
  aggregation: true,
  where: true,
  window: true,
  unit: true,
}).extend({ groupBy: z.array(z.string()) });
export type SavedQuery = z.infer<typeof SavedQuery>;

/** A metric of the tenant's own, checked. */
export interface MetricDefinition {
  key: string;
  name: string;
  /** In the words of `formatValue`; null: bare numbers. */
  unit: string | null;
  query: SavedQuery;
  everyMs: number;
  evaluationDelayMs: number;
}

/** What is stored, compiled. Null: this version of the program does not understand it. Never throws. */
export function readSavedQuery(stored: unknown): MetricQuery | null {
  const query = SavedQuery.safeParse(stored);
  if (!query.success) return null;
  try {
    return compileQuery(query.data, query.data.groupBy.toSorted());
  } catch {
    return null;
  }
}
