import type { MetricDefinition } from '@tocsin/contracts';
import {
  type DrizzleTx,
  keysOfRulesLookingAt,
  lockMetricDefinition,
  type MetricDefinitionRow,
  updateMetricDefinition as updateRow,
} from '@tocsin/db';
import { isDeepStrictEqual } from 'node:util';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import { boundsOf } from '../bounds.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { keyFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { knownMetricsIn } from './known-metrics.ts';
import { viewMetricDefinition } from './metric-definition-view.ts';
import { metricInUse } from './metric-in-use.ts';
import { readDefinitionPatch } from './read-definition-body.ts';

interface Input {
  key: string;
  body: unknown;
  ifMatch: string | undefined;
}

const FIELDS = ['name', 'unit', 'query', 'everyMs', 'evaluationDelayMs', 'enabled'] as const;

/** Replaces the fields sent. What changes nothing makes no version; the unit is part of rules, and stays while there are any. */
export const updateMetricDefinition = verb(
  'metrics:write',
  async ({ ctx, input }: { ctx: Context; input: Input }): Promise<MetricDefinition> => {
    const { tenantId, actor } = ctx;
    return change(ctx, async (tx) => {
      const before = await lockMetricDefinition(tx, tenantId, keyFrom(input.key));
      if (before === null) throw notFound('metric definition');
      requireVersion(input.ifMatch, before.version);
      const known = knownMetricsIn(tx, tenantId);
      const { definition, enabled } = await readDefinitionPatch(before, input.body, boundsOf(ctx).rule, known);
      const wanted = { ...definition, enabled: enabled ?? before.enabled };
      const fields = FIELDS.filter((field) => !isDeepStrictEqual(wanted[field], before[field]));
      if (fields.length === 0) return viewMetricDefinition(before);
      if (fields.includes('unit')) await refuseAnotherUnit(tx, before);
      const row = await updateRow(tx, before, { ...wanted, actor });
      await audit(tx, ctx, 'metric.updated', row.id, { key: row.key, version: row.version, fields });
      return viewMetricDefinition(row);
    });
  },
);

async function refuseAnotherUnit(tx: DrizzleTx, { tenantId, key }: MetricDefinitionRow): Promise<void> {
  const rules = await keysOfRulesLookingAt(tx, tenantId, key);
  if (rules.length > 0) throw metricInUse('Its unit is part of the rules', rules);
}
