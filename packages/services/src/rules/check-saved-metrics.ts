import { type DrizzleTx, lockMetricKeys } from '@tocsin/db';
import { type RuleSpec, savedMetricsIn } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

/** Every saved metric a rule looks at goes on existing until the transaction ends. Throws a 422 where one was deleted since the rule was read. */
export async function checkSavedMetrics(tx: DrizzleTx, tenantId: string, { condition }: RuleSpec): Promise<void> {
  const named = savedMetricsIn(condition);
  const known = new Set(await lockMetricKeys(tx, tenantId, named));
  const missing = named.filter((key) => !known.has(key));
  if (missing.length === 0) return;
  throw invalid(
    missing.map((key) => ({ pointer: '/condition', code: 'unknown_metric', message: `There is no saved metric '${key}' any more.` })),
  );
}
