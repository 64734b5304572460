import type { DueMetricDefinition, RecordedInstant } from '@tocsin/db';
import { phaseOf, planClaim, readSavedQuery, type ClaimPlan, type MetricQuery, type MetricSource, type QueryResult } from '@tocsin/domain';
import type { MetricValue } from '@tocsin/events';

/** An instant, with what the metric was worth at it. */
export interface FoundInstant extends RecordedInstant {
  values: MetricValue[];
}

export interface FailedInstant {
  definition: DueMetricDefinition;
  /** As people are told it. */
  error: string;
}

interface Asked {
  definition: DueMetricDefinition;
  plan: ClaimPlan;
  query: MetricQuery;
}

/** Reads each definition at its newest due instant, all of them with one question. Rejects when nothing at all could be read. */
export async function readInstants(
  source: MetricSource,
  definitions: readonly DueMetricDefinition[],
  signal: AbortSignal,
): Promise<{ found: FoundInstant[]; failed: FailedInstant[] }> {
  const found: FoundInstant[] = [];
  const failed: FailedInstant[] = [];
  const asked = definitions.flatMap((definition): Asked[] => {
    const query = readSavedQuery(definition.query);
    if (query !== null) return [{ definition, plan: planOf(definition), query }];
    failed.push({ definition, error: 'query_unreadable: this version of Tocsin does not understand it' });
    return [];
  });
  const byTenant = [...Map.groupBy(asked, ({ definition }) => definition.tenantId)];
  const requests = byTenant.map(([tenantId, ofTenant]) => ({
    tenantId,
    queries: ofTenant.map(({ definition, plan, query }) => ({ query, endMs: plan.runSlotMs - definition.evaluationDelayMs })),
  }));
  const answers = requests.length === 0 ? [] : await source.read(requests, signal);
  for (const [at, [, ofTenant]] of byTenant.entries()) {
    for (const [place, { definition, plan }] of ofTenant.entries()) {
      const result = answers[at]?.[place];
      if (result?.kind === 'series') found.push(foundIn(definition, plan, result));
      else failed.push({ definition, error: whyNot(result) });
    }
  }
  return { found, failed };
}

const planOf = ({ tenantId, dueMs, nowMs, everyMs }: DueMetricDefinition): ClaimPlan =>
  planClaim({ nextSlotMs: dueMs, nowMs, everyMs, phaseMs: phaseOf(tenantId) });

/** Where there is no value there is no event: nothing is not zero. */
function foundIn(
  definition: DueMetricDefinition,
  { runSlotMs, nextSlotMs }: ClaimPlan,
  { series, dropped }: Extract<QueryResult, { kind: 'series' }>,
): FoundInstant {
  const values = series.flatMap(({ labels, value }): MetricValue[] =>
    value === null ? [] : [{ key: definition.key, atMs: runSlotMs, labels, value }],
  );
  return { definition, instantMs: runSlotMs, nextDueMs: nextSlotMs, series: values.length, dropped, values };
}

function whyNot(result: Exclude<QueryResult, { kind: 'series' }> | undefined): string {
  if (result === undefined) return 'query_failed: it was not answered';
  return result.kind === 'failed' ? `${result.code}: ${result.message}` : `warming: ${result.missingHours} hours are still being prepared`;
}
