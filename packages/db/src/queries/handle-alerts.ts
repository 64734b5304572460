import { parseDuration, type EpochMs } from '@tocsin/domain';
import { and, eq, inArray, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { newId } from '../new-id.ts';
import { alertEvents, alerts, archivedAlerts, type AlertRow } from '../tables/alerts.ts';
import { rules } from '../tables/rules.ts';
import type { DrizzleTx } from '../with-tenants.ts';
import { wakeEscalations } from './escalations.ts';
import { CHANGED_ALERT, tellChanges, type ChangedAlert } from './tell-changes.ts';

const these = (tenantId: string, ids: readonly string[]) => and(eq(alerts.tenantId, tenantId), inArray(alerts.id, [...ids]));
/** The same for raw statements. */
export const idsIn = (ids: readonly string[]) =>
  sql`(select value::uuid from jsonb_array_elements_text(${JSON.stringify(ids)}::text::jsonb))`;

/**
 * Locks alerts that are not archived, and answers them by id. Their rules are locked first, in the order in which an evaluation locks them: it either
 * has committed by then or sees what is done here, and never waits for it while it is waited for.
 */
export async function lockAlerts(tx: DrizzleTx, tenantId: string, ids: readonly string[]): Promise<AlertRow[]> {
  const theirRules = tx.select({ id: alerts.ruleId }).from(alerts).where(these(tenantId, ids));
  await tx
    .select({ id: rules.id })
    .from(rules)
    .where(and(eq(rules.tenantId, tenantId), inArray(rules.id, theirRules)))
    .orderBy(rules.id)
    .for('no key update');
  return tx.select().from(alerts).where(these(tenantId, ids)).orderBy(alerts.id).for('update');
}

interface Handling {
  actor: string;
  /** Null: nothing was said. */
  note: string | null;
}

/** Of alerts under lock that are open. Answers the triggers for whoever wants to hear of it, to be hinted after the commit. */
export async function acknowledgeAlerts(tx: DrizzleTx, tenantId: string, ids: readonly string[], by: Handling): Promise<string[]> {
  if (ids.length === 0) return [];
  const changed = await tx.execute<ChangedAlert>(sql`
    update alerts
    set status = 'acknowledged', acknowledged_at = tocsin_now(), acknowledged_by = ${by.actor}, trigger_seq = trigger_seq + 1, version = version + 1
    where tenant_id = ${tenantId}::uuid and id in ${idsIn(ids)} and resolved_at is null
    returning ${CHANGED_ALERT}`);
  return tellChanges(tx, tenantId, 'acknowledged', [...changed], { reason: null, actor: by.actor, data: said('note', by.note) });
}

/** Of alerts under lock that are acknowledged; whoever was to be reminded will be again. */
export async function unacknowledgeAlerts(tx: DrizzleTx, tenantId: string, ids: readonly string[], by: Handling): Promise<void> {
  if (ids.length === 0) return;
  await tx
    .update(alerts)
    .set({ status: 'active', acknowledgedAtMs: null, acknowledgedBy: null, version: sql`${alerts.version} + 1` })
    .where(these(tenantId, ids));
  await wakeEscalations(tx, tenantId, ids);
  await noteHandled(tx, tenantId, ids, { kind: 'unacknowledged', actor: by.actor, data: said('note', by.note) });
  const reminding = await tx
    .select({ id: alerts.id, every: sql<string | null>`${rules.spec} ->> 'remindEvery'` })
    .from(alerts)
    .innerJoin(rules, and(eq(rules.tenantId, alerts.tenantId), eq(rules.id, alerts.ruleId)))
    .where(these(tenantId, ids));
  const timers = reminding.flatMap(({ id: alert_id, every }) => {
    const everyMs = every === null ? null : parseDuration(every);
    return everyMs === null || everyMs <= 0 ? [] : [{ id: newId(), alert_id, everyMs }];
  });
  if (timers.length === 0) return;
  await tx.execute(sql`
    insert into alert_timers (tenant_id, id, alert_id, kind, due_at)
    select ${tenantId}::uuid, id, alert_id, 'reminder', tocsin_now() + make_interval(secs => "everyMs" / 1000)
    from jsonb_to_recordset(${JSON.stringify(timers)}::text::jsonb) as timers (id uuid, alert_id uuid, "everyMs" float8)
    on conflict (tenant_id, alert_id, kind) do nothing`);
}

interface Entry {
  kind: string;
  actor: string;
  data: Record<string, unknown>;
}

/** Writes what people did with alerts, one at least, into their timelines. Answers when. */
export async function noteHandled(tx: DrizzleTx, tenantId: string, ids: readonly string[], entry: Entry): Promise<EpochMs> {
  const [row] = await tx
    .insert(alertEvents)
    .values(ids.map((alertId) => ({ tenantId, id: newId(), alertId, reason: null, ...entry })))
    .returning({ atMs: alertEvents.atMs });
  if (row === undefined) throw new Error('an entry was stored as none');
  return row.atMs;
}

/** What was said, for a timeline; nothing where nothing was. */
export const said = (name: string, text: string | null): Record<string, unknown> => (text === null ? {} : { [name]: text });

/** Null: nobody. */
export async function assignAlert(tx: DrizzleTx, tenantId: string, id: string, assignee: string | null): Promise<void> {
  await tx
    .update(alerts)
    .set({ assignee, version: sql`${alerts.version} + 1` })
    .where(these(tenantId, [id]));
}

/** `by` null: it was worth telling after all. */
export async function markNoise(tx: DrizzleTx, tenantId: string, id: string, by: Handling | null): Promise<void> {
  const mark =
    by === null ? { noiseAtMs: null, noiseBy: null, noiseNote: null } : { noiseAtMs: tocsinNow, noiseBy: by.actor, noiseNote: by.note };
  await tx
    .update(alerts)
    .set({ ...mark, version: sql`${alerts.version} + 1` })
    .where(these(tenantId, [id]));
}

/** Those of resolved alerts under lock of which nothing is under way any more. */
export async function alertsAtRest(tx: DrizzleTx, tenantId: string, ids: readonly string[]): Promise<string[]> {
  const rows = await tx.execute<{ id: string }>(sql`
    select id from alerts over where tenant_id = ${tenantId}::uuid and id in ${idsIn(ids)} and resolved_at is not null
      and not exists (
        select from deliveries d where d.tenant_id = over.tenant_id and d.alert_id = over.id and d.status in ('pending', 'sending', 'retrying')
      )
      and not exists (select from triggers t where t.tenant_id = over.tenant_id and t.alert_id = over.id and t.status = 'pending')`);
  return rows.map(({ id }) => id);
}

/** Deletes alerts, archived or not, with what was told of them. */
export async function deleteAlerts(tx: DrizzleTx, tenantId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  await tx.delete(alerts).where(these(tenantId, ids));
  await tx.delete(archivedAlerts).where(and(eq(archivedAlerts.tenantId, tenantId), inArray(archivedAlerts.id, [...ids])));
}

/** Ids of alerts of these that are archived. */
export async function archivedAmong(tx: DrizzleTx, tenantId: string, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const rows = await tx
    .select({ id: archivedAlerts.id })
    .from(archivedAlerts)
    .where(and(eq(archivedAlerts.tenantId, tenantId), inArray(archivedAlerts.id, [...ids])));
  return rows.map(({ id }) => id);
}
