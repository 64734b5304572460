import { METRIC_NAMES } from './catalogue.ts';
import { Complaints, quoted, readFields } from './complaints.ts';
import { unitOf } from './compile-query.ts';
import { durationMs } from './duration.ts';
import type { Issue, Path } from './issue.ts';
import type { MetricDefinition, SavedQuery } from './metric-definition.ts';
import { parseGroupBy, parseQuerySpec, QUERY_FIELDS } from './parse-query.ts';
import { rateUnit } from './rate-unit.ts';
import { readBoolean, readDuration, readKey, readLine } from './read-values.ts';
import { RULE_BOUNDS, type RuleBounds } from './rule-bounds.ts';
import { ruleKey } from './rule-key.ts';
import { SAVED_METRIC_PREFIX, type SavedMetrics } from './saved-metric.ts';

/** `enabled` is kept beside the definition, not in it; null: nothing was said. */
export type ParsedMetricDefinition = { ok: true; definition: MetricDefinition; enabled: boolean | null } | { ok: false; issues: Issue[] };

const FIELDS = ['key', 'name', 'unit', 'query', 'every', 'evaluationDelay', 'enabled'] as const;

/** They would read as something else where a comparison names its metric. */
const RESERVED_KEYS: ReadonlySet<string> = new Set([...METRIC_NAMES, ...QUERY_FIELDS]);

/**
 * A metric definition as people write it, or everything that is wrong with it. `savedMetrics` are those there are: it may look at none of them, so
 * that none waits for another and none feeds itself.
 */
export function parseMetricDefinition(input: unknown, bounds?: RuleBounds, savedMetrics?: SavedMetrics): ParsedMetricDefinition {
  const complaints = new Complaints(bounds, savedMetrics);
  const fields = readFields(input, [], FIELDS, complaints);
  if (fields === null) return { ok: false, issues: complaints.issues };
  const need = <Value>(field: 'name' | 'query', what: string, reader: (value: unknown, path: Path) => Value | null): Value | null =>
    fields.has(field) ? reader(fields.get(field), [field]) : complaints.add([field], 'required', `needs ${what}`);
  const duration = (field: 'every' | 'evaluationDelay', otherwise: string, minMs: number, maxMs: number): string | null =>
    readDuration(fields.has(field) ? fields.get(field) : otherwise, [field], minMs, maxMs, complaints);

  const name = need('name', 'a name', (value, path) => readLine(value, path, RULE_BOUNDS.nameLength, complaints));
  const key = readOwnKey(fields.has('key') ? fields.get('key') : name === null ? undefined : ruleKey(name), complaints);
  const query = need('query', 'a query', (value, path) => readQuery(value, path, complaints));
  const unit = fields.has('unit') ? readUnit(fields.get('unit'), complaints) : query === null ? null : unitOf(query);
  const every = duration('every', '1m', complaints.bounds.minEveryMs, RULE_BOUNDS.maxEveryMs);
  const evaluationDelay = duration('evaluationDelay', '10s', 0, RULE_BOUNDS.maxEvaluationDelayMs);
  const enabled = fields.has('enabled') ? readBoolean(fields.get('enabled'), ['enabled'], complaints) : null;
  const isWhole = complaints.issues.length === 0;
  if (!isWhole || key === null || name === null || query === null || every === null || evaluationDelay === null)
    return { ok: false, issues: complaints.issues };
  const definition = { key, name, unit, query, everyMs: durationMs(every), evaluationDelayMs: durationMs(evaluationDelay) };
  return { ok: true, definition, enabled };
}

/** Undefined: there is no name to make one of, which was complained about. */
function readOwnKey(value: unknown, complaints: Complaints): string | null {
  if (value === undefined) return null;
  const key = readKey(value, ['key'], complaints);
  if (key === null || !RESERVED_KEYS.has(key)) return key;
  return complaints.add(['key'], 'invalid_value', `${quoted(key)} has a meaning already where rules name a metric; choose another key`);
}

/** As `unitOf` says them, so that a value reads the same wherever it is shown. */
function readUnit(value: unknown, complaints: Complaints): string | null {
  if (value === null) return null;
  const unit = readLine(value === '%' ? 'percent' : value, ['unit'], RULE_BOUNDS.unitLength, complaints);
  return unit === null ? null : (rateUnit(unit)?.words ?? unit);
}

function readQuery(value: unknown, path: Path, complaints: Complaints): SavedQuery | null {
  const fields = readFields(value, path, [...QUERY_FIELDS, 'groupBy'], complaints);
  if (fields === null) return null;
  const spec = parseQuerySpec(fields, path, complaints);
  const groupBy = parseGroupBy(fields.get('groupBy') ?? [], [...path, 'groupBy'], complaints);
  if (spec === null || groupBy === null) return null;
  if (spec.metric !== undefined && complaints.savedMetrics.has(spec.metric))
    return complaints.add([...path, 'metric'], 'conflict', `${quoted(spec.metric)} is a saved metric; one is not made of another`);
  if (spec.name?.startsWith(SAVED_METRIC_PREFIX) === true)
    return complaints.add([...path, 'name'], 'conflict', `${quoted(spec.name)} are values of a saved metric; one is not made of another`);
  return { ...spec, groupBy };
}
