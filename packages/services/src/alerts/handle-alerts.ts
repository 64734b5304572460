import type { Alert, BulkResult } from '@tocsin/contracts';
import { archivedAmong, findAlert, lockAlerts, type AlertRow, type DrizzleTx } from '@tocsin/db';
import { sendHints } from '@tocsin/pipeline';
import { dispatchTrigger } from '@tocsin/queue';
import { AppError, notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import type { AlertAction } from './alert-actions.ts';
import { viewAlert } from './alert-view.ts';

interface Handled<Output> {
  output: Output;
  /** Triggers the change made, to be hinted once it is committed. */
  triggerIds: readonly string[];
}

/** Runs a change to alerts in one transaction, then hints what it made. */
export async function changeAlerts<Output>(ctx: Context, work: (tx: DrizzleTx) => Promise<Handled<Output>>): Promise<Output> {
  const { tenantId } = ctx;
  let made: readonly string[] = [];
  const output = await change(ctx, async (tx) => {
    const handled = await work(tx);
    made = handled.triggerIds;
    return handled.output;
  });
  const hints = made.map((triggerId) => ({ tenantId, triggerId }));
  await sendHints(ctx, dispatchTrigger, hints);
  return output;
}

/** Does it to each alert that allows it; the others are none the worse for it. Answers in the order asked. */
export async function handleAll(ctx: Context, tx: DrizzleTx, action: AlertAction, ids: readonly string[]): Promise<Handled<BulkResult[]>> {
  const { tenantId } = ctx;
  const found = await lockAlerts(tx, tenantId, ids);
  const rows = new Map(found.map((row) => [row.id, row]));
  const missing = ids.filter((id) => !rows.has(id));
  const archived = new Set(await archivedAmong(tx, tenantId, missing));
  const decided = await action.decide(tx, ctx, found);
  const decisionOf = (id: string): BulkResult['code'] => {
    if (rows.has(id)) return decided.get(id) ?? 'not_found';
    if (!archived.has(id)) return 'not_found';
    return action.archivedToo ? 'do' : 'alert_archived';
  };
  const decisions = new Map(ids.map((id) => [id, decisionOf(id)]));
  const toDo = [...decisions].flatMap(([id, decision]) => (decision === 'do' ? [id] : []));
  const triggerIds = await action.apply(tx, ctx, toDo);
  const output = ids.map((id): BulkResult => {
    const decision = decisions.get(id) ?? 'not_found';
    const before = rows.get(id)?.status ?? null;
    if (decision === 'do')
      return { id, result: 'done', status: action.after === 'as_before' ? before : action.after, code: null, detail: null };
    if (decision === 'unchanged') return { id, result: 'unchanged', status: before, code: null, detail: null };
    return { id, result: 'failed', status: before, code: decision, detail: DETAILS[decision] ?? null };
  });
  return { output, triggerIds };
}

const DETAILS: Readonly<Record<string, string>> = {
  not_found: 'There is no such alert.',
  alert_resolved: 'The alert is over.',
  alert_open: 'The alert is open, or its messages are still under way.',
  alert_archived: 'The alert is archived.',
};

/** The same for one alert, which is answered as it is then; null: it is gone. Throws where it can not be done. What is wrong with the body counts once the alert is there. */
export function handleOne(ctx: Context, id: string, actionOf: () => AlertAction): Promise<Alert | null> {
  return changeAlerts(ctx, async (tx) => {
    if ((await findAlert(tx, ctx.tenantId, id)) === null) throw notFound('alert');
    const { output, triggerIds } = await handleAll(ctx, tx, actionOf(), [id]);
    const [result] = output;
    if (result?.result === 'failed') throw refusal(result);
    const row = await findAlert(tx, ctx.tenantId, id);
    return { output: row === null ? null : viewAlert(row), triggerIds };
  });
}

function refusal({ code, detail }: BulkResult): AppError {
  if (code === 'alert_resolved' || code === 'alert_open' || code === 'alert_archived') return new AppError(code, detail ?? '');
  return notFound('alert');
}

/** Locks one that is not archived, and answers it. Throws a 404, or a 409 where it is. */
export async function lockAlert(ctx: Context, tx: DrizzleTx, id: string): Promise<AlertRow> {
  const [row] = await lockAlerts(tx, ctx.tenantId, [id]);
  if (row !== undefined) return row;
  const archived = await archivedAmong(tx, ctx.tenantId, [id]);
  if (archived.length === 0) throw notFound('alert');
  throw new AppError('alert_archived', 'The alert is archived.');
}

/** The alert as it is after a change in the same transaction. */
export async function shownAlert({ tenantId }: Context, tx: DrizzleTx, id: string): Promise<Alert> {
  const row = await findAlert(tx, tenantId, id);
  if (row === null) throw new Error('an alert under lock is gone');
  return viewAlert(row);
}
