import type { SqlTx } from '../with-tenants.ts';

const TIMELINE_MAX = 500;

/**
 * Moves at most `limit` alerts that ended before so long out of the tables that are written all day, with their timelines and what became of their
 * messages; their triggers and deliveries go with them. Only what is at rest: nothing of it is under way, and nothing waits for its time.
 * Answers how many went.
 */
export async function archiveAlerts(sql: SqlTx, tenantIds: readonly string[], afterMs: number, limit: number): Promise<number> {
  const moved = await sql`
    with over as materialized (
      select * from alerts over
      where tenant_id = any(${tenantIds as string[]}::uuid[]) and resolved_at < tocsin_now() - make_interval(secs => ${afterMs}::float8 / 1000)
        and not exists (
          select from deliveries d
          where d.tenant_id = over.tenant_id and d.alert_id = over.id and d.status in ('pending', 'sending', 'retrying')
        )
        and not exists (select from triggers t where t.tenant_id = over.tenant_id and t.alert_id = over.id and t.status = 'pending')
        and not exists (select from alert_timers t where t.tenant_id = over.tenant_id and t.alert_id = over.id)
      limit ${limit} for update skip locked
    ), archived as (
      insert into archived_alerts (
        tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at, resolved_at,
        resolve_reason, trigger_seq, version, type_name, category, breached_at, opened_at, acknowledged_at, acknowledged_by, resolved_by,
        resolution_notes, assignee, silenced_until, noise_at, noise_by, noise_note, timeline, deliveries
      )
      select over.tenant_id, over.id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at,
        resolved_at, resolve_reason, trigger_seq, version, type_name, category, breached_at, opened_at, acknowledged_at, acknowledged_by, resolved_by,
        resolution_notes, assignee, silenced_until, noise_at, noise_by, noise_note, coalesce(told.timeline, '[]'), coalesce(sent.deliveries, '[]')
      from over
      left join lateral (
        select jsonb_agg(jsonb_build_object(
          'at', (extract(epoch from e.at) * 1000)::float8, 'kind', e.kind, 'reason', e.reason, 'actor', e.actor, 'data', e.data
        ) order by e.at, e.id) as timeline
        from (
          select * from alert_events e where e.tenant_id = over.tenant_id and e.alert_id = over.id order by e.at desc, e.id desc limit ${TIMELINE_MAX}
        ) e
      ) told on true
      left join lateral (
        select jsonb_agg(jsonb_build_object(
          'channel', d.channel_key, 'kind', d.channel_kind, 'told', d.kind, 'status', d.status, 'reason', d.reason, 'attempts', d.attempts,
          'at', (extract(epoch from d.created_at) * 1000)::float8, 'finishedAt', (extract(epoch from d.finished_at) * 1000)::float8
        ) order by d.id) as deliveries
        from deliveries d where d.tenant_id = over.tenant_id and d.alert_id = over.id
      ) sent on true
    )
    delete from alerts using over where alerts.tenant_id = over.tenant_id and alerts.id = over.id`;
  return moved.count;
}
