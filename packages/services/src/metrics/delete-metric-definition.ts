import { deleteMetricDefinition as deleteRow, keysOfRulesLookingAt, lockMetricDefinition } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { keyFrom } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { metricInUse } from './metric-in-use.ts';

interface Input {
  key: string;
  ifMatch: string | undefined;
}

/** Refused while rules look at it. What it recorded stays as long as other events. */
export const deleteMetricDefinition = verb('metrics:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<void> => {
  const { tenantId } = ctx;
  return change(ctx, async (tx) => {
    const row = await lockMetricDefinition(tx, tenantId, keyFrom(input.key));
    if (row === null) throw notFound('metric definition');
    requireVersion(input.ifMatch, row.version);
    const rules = await keysOfRulesLookingAt(tx, tenantId, row.key);
    if (rules.length > 0) throw metricInUse('It is looked at by the rules', rules);
    await deleteRow(tx, tenantId, row.key);
    await audit(tx, ctx, 'metric.deleted', row.id, { key: row.key, version: row.version });
  });
});
