import {
  advanceMetricDefinitions,
  bumpHours,
  holdBackMetricDefinitions,
  insertSegments,
  isRetryable,
  readDueMetricDefinitions,
  takeDueMetricDefinitions,
  withPipeline,
  withTenantsSql,
  type DueMetricDefinition,
} from '@tocsin/db';
import { savedMetricName, type MetricSource } from '@tocsin/domain';
import { encodeMetricValues, type Landed } from '@tocsin/events';
import { faultPoint } from '@tocsin/runtime';
import { EVALUATION_BOUNDS, type EvaluationBounds } from '../evaluate/evaluation-bounds.ts';
import type { PipelineDeps } from '../pipeline-deps.ts';
import { readInstants, type FailedInstant, type FoundInstant } from './read-instants.ts';

export interface MetricRecorderDeps extends PipelineDeps {
  source: MetricSource;
  /** Absent: those of the design. */
  runBounds?: EvaluationBounds;
  /** Told of the events that were recorded, after the commit. */
  onLanded?: (landed: readonly Landed[]) => void;
}

const HOUR_MS = 3_600_000;
const hourOf = (atMs: number): number => Math.floor(atMs / HOUR_MS) * HOUR_MS;
const TAKEN_AT_ONCE = 200;
/** Together they give up sooner and are read one by one, so that a slow one costs the others this long at most. */
const TOGETHER_MS = 10_000;

/**
 * Records the saved metrics whose instant has come: reads each over its window and writes what it found as events, once, whoever else does so or
 * died doing it. Of several instants that were missed the newest is recorded. Answers whether there may be more.
 * Rejects when the database or the source is away, or `signal` aborts; then what was in hand is handed out again.
 */
export async function recordDueMetrics(deps: MetricRecorderDeps, signal: AbortSignal): Promise<boolean> {
  const due = await withPipeline(deps.db, (sql) => takeDueMetricDefinitions(sql, TAKEN_AT_ONCE));
  if (due.length === 0) return false;
  const tenantIds = [...new Set(due.map(({ tenantId }) => tenantId))];
  const definitions = await withTenantsSql(deps.db, tenantIds, (sql) => readDueMetricDefinitions(sql, due));
  if (definitions.length > 0) await recordAll(deps, definitions, signal);
  return due.length === TAKEN_AT_ONCE;
}

/** What fails together is tried one by one, so that only the one to blame fails. */
async function recordAll(deps: MetricRecorderDeps, definitions: readonly DueMetricDefinition[], signal: AbortSignal): Promise<void> {
  const { queryTimeMs } = deps.runBounds ?? EVALUATION_BOUNDS;
  const within = (ms: number): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(ms)]);
  try {
    return await record(deps, definitions, within(Math.min(queryTimeMs, TOGETHER_MS)));
  } catch (error) {
    if (signal.aborted || isRetryable(error)) throw error;
    deps.logger.warn({ err: error, definitions: definitions.length }, 'saved metrics failed together; recording them one by one');
  }
  for (const definition of definitions) {
    const time = within(queryTimeMs);
    try {
      await record(deps, [definition], time);
    } catch (error) {
      if (signal.aborted || isRetryable(error)) throw error;
      const { tenantId, id } = definition;
      deps.logger.error({ err: error, tenantId, definitionId: id }, 'a saved metric failed');
      const late = `query_timeout: not answered within ${queryTimeMs / 1_000} s`;
      await commit(deps, [], [{ definition, error: time.aborted ? late : 'query_failed: it could not be read' }]);
    }
  }
}

async function record(deps: MetricRecorderDeps, definitions: readonly DueMetricDefinition[], signal: AbortSignal): Promise<void> {
  const { found, failed } = await readInstants(deps.source, definitions, signal);
  faultPoint('recorder.after-read');
  await commit(deps, found, failed);
}

/** The instants and their values in one transaction, whose first statement says which are ours to write. */
async function commit(
  { db, metrics, logger, onLanded }: MetricRecorderDeps,
  found: readonly FoundInstant[],
  failed: readonly FailedInstant[],
): Promise<void> {
  const tenantIds = [...new Set([...found, ...failed].map(({ definition }) => definition.tenantId))];
  const recorded = await withTenantsSql(db, tenantIds, async (sql) => {
    const ours = new Set(found.length === 0 ? [] : await advanceMetricDefinitions(sql, found));
    const values = Map.groupBy(
      found.filter(({ definition }) => ours.has(definition.id)),
      ({ definition }) => definition.tenantId,
    );
    faultPoint('recorder.mid-transaction');
    const segments = [...values].flatMap(([tenantId, ofTenant]) =>
      encodeMetricValues(
        tenantId,
        ofTenant.flatMap((each) => each.values),
      ),
    );
    await insertSegments(sql, segments);
    // An instant that was made up for may lie in an hour that is over.
    const hours = new Map(
      segments.map(({ tenantId, startsAtMs }) => [`${tenantId} ${hourOf(startsAtMs)}`, { tenantId, hourMs: hourOf(startsAtMs) }]),
    );
    await bumpHours(sql, [...hours.values()]);
    if (failed.length > 0) await holdBackMetricDefinitions(sql, failed);
    return ours;
  });
  metrics.savedMetrics.inc({ result: 'recorded' }, recorded.size);
  metrics.savedMetrics.inc({ result: 'failed' }, failed.length);
  for (const { definition, error } of failed)
    logger.warn({ tenantId: definition.tenantId, definitionId: definition.id, reason: error }, 'a saved metric was not recorded');
  onLanded?.(
    found
      .filter(({ definition, values }) => values.length > 0 && recorded.has(definition.id))
      .map(({ definition: { tenantId, key }, instantMs }) => ({ tenantId, names: [savedMetricName(key)], endsAtMs: instantMs + 1 })),
  );
}
