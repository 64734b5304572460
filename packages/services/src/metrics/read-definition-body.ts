import type { MetricDefinitionRow } from '@tocsin/db';
import { formatDuration, type MetricDefinition, parseMetricDefinition, type RuleBounds } from '@tocsin/domain';
import { UpdateMetricDefinition } from '@tocsin/contracts';
import { invalid } from '../app-error.ts';
import { parse } from '../parse.ts';
import { type KnownMetrics, parseKnowing } from './known-metrics.ts';

interface DefinitionBody {
  definition: MetricDefinition;
  /** Null: not said. */
  enabled: boolean | null;
}

/** A metric definition as written. Throws a 422 that names every fault. */
export async function readDefinitionBody(body: unknown, bounds: RuleBounds, known: KnownMetrics): Promise<DefinitionBody> {
  const parsed = await parseKnowing(known, (saved) => parseMetricDefinition(body, bounds, saved));
  if (!parsed.ok) throw invalid(parsed.issues);
  return parsed;
}

/** A stored definition with some fields replaced; a field that is null goes back to its default, but for the unit, which is then none. */
export async function readDefinitionPatch(
  { key, name, unit, query, everyMs, evaluationDelayMs }: MetricDefinitionRow,
  body: unknown,
  bounds: RuleBounds,
  known: KnownMetrics,
): Promise<DefinitionBody> {
  const stored = { key, name, unit, query, every: formatDuration(everyMs), evaluationDelay: formatDuration(evaluationDelayMs) };
  const merged = Object.entries({ ...stored, ...parse(UpdateMetricDefinition, body) });
  return readDefinitionBody(Object.fromEntries(merged.filter(([field, value]) => value !== null || field === 'unit')), bounds, known);
}
