import type { SilenceAlert } from '@tocsin/contracts';
import { databaseNow, setAlertSilences, wakeWaiting } from '@tocsin/db';
import { audit } from '../audit.ts';
import { readEnd } from '../silences/read-end.ts';
import { timeText } from '../time-text.ts';
import type { AlertAction, Decision } from './alert-actions.ts';

const whileOpen: AlertAction['decide'] = async (_tx, _ctx, rows) =>
  new Map(rows.map(({ id, resolvedAtMs }): [string, Decision] => [id, resolvedAtMs === null ? 'do' : 'alert_resolved']));

/** Each alone, until then or until it is over or becomes worse. It goes on being evaluated. */
export const silencing = (end: Pick<SilenceAlert, 'duration' | 'until' | 'onResolve'>, comment: string): AlertAction => ({
  permission: 'silences:write',
  archivedToo: false,
  decide: whileOpen,
  async apply(tx, ctx, ids) {
    const { tenantId, actor } = ctx;
    const untilMs = readEnd(end, await databaseNow(tx));
    const data = { until: timeText(untilMs), onResolve: end.onResolve, ...(comment === '' ? {} : { comment }) };
    await setAlertSilences(tx, tenantId, ids, untilMs, { actor, data });
    // it may end sooner than the silence that was waited for
    await wakeWaiting(tx, tenantId, ids);
    for (const id of ids) await audit(tx, ctx, 'alert.silenced', id, data);
    return [];
  },
  after: 'as_before',
});

/** Whoever has not heard of it does now. An alert without a silence of its own stays as it is. */
export const unsilencing = (comment: string): AlertAction => ({
  permission: 'silences:write',
  archivedToo: false,
  async decide(tx, ctx, rows) {
    const nowMs = await databaseNow(tx);
    const isSilenced = new Set(rows.flatMap(({ id, silencedUntilMs }) => ((silencedUntilMs ?? 0) > nowMs ? [id] : [])));
    const open = await whileOpen(tx, ctx, rows);
    return new Map([...open].map(([id, decision]) => [id, decision === 'do' && !isSilenced.has(id) ? 'unchanged' : decision]));
  },
  async apply(tx, ctx, ids) {
    const data = comment === '' ? {} : { comment };
    await setAlertSilences(tx, ctx.tenantId, ids, null, { actor: ctx.actor, data });
    await wakeWaiting(tx, ctx.tenantId, ids);
    for (const id of ids) await audit(tx, ctx, 'alert.unsilenced', id, data);
    return [];
  },
  after: 'as_before',
});
