import { BulkAlerts, type BulkAnswer, type BulkResult } from '@tocsin/contracts';
import { selectAlertIds } from '@tocsin/db';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { requirePermission, verb } from '../verb.ts';
import { BULK } from './alert-actions.ts';
import { alertFilterOf } from './alert-filter.ts';
import { changeAlerts, handleAll } from './handle-alerts.ts';

const AT_MOST = 500;

/** Does one thing to up to 500 alerts in one transaction, and says of each what became of it. */
export const bulkAlerts = verb('alerts:handle', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<BulkAnswer> => {
  const asked = parse(BulkAlerts, input.body);
  const { ids: named, filter } = asked;
  const action = BULK[asked.action](asked);
  requirePermission(ctx.role, action.permission);
  return changeAlerts(ctx, async (tx) => {
    const found = filter === undefined ? [] : await selectAlertIds(tx, ctx.tenantId, alertFilterOf(filter, null, AT_MOST + 1));
    const ids = named === undefined ? found.slice(0, AT_MOST) : [...new Set(named)];
    const { output, triggerIds } = await handleAll(ctx, tx, action, ids);
    return { output: { data: output, counts: countsOf(output), hasMore: found.length > AT_MOST }, triggerIds };
  });
});

export function countsOf(results: readonly BulkResult[]): BulkAnswer['counts'] {
  const count = (wanted: BulkResult['result']): number => results.filter(({ result }) => result === wanted).length;
  return { done: count('done'), unchanged: count('unchanged'), failed: count('failed') };
}
