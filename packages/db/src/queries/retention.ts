import type { SqlTx } from '../with-tenants.ts';

/**
 * Deletes at most `limit` rows a kind of what is over and older than its retention: archived alerts, reports of missed ones,
 * deliveries without an alert, messages in the inbox, silences, incidents without alerts, fire drills, counts of messages, event names of which no event is left, what was made of hours whose events are over or that
 * nobody has needed for a week, and idempotency keys of more than a day.
 * Answers how many rows went. Alerts that are not archived are not looked at.
 */
export async function deleteExpired(
  sql: SqlTx,
  tenantIds: readonly string[],
  { alertsMs, eventsMs, archiveMs }: { alertsMs: number; eventsMs: number; archiveMs: number },
  limit: number,
): Promise<number> {
  const tenants = tenantIds as string[];
  const old = sql`tocsin_now() - make_interval(secs => ${alertsMs}::float8 / 1000)`;
  const isOldArchive = sql`tocsin_now() - make_interval(secs => ${archiveMs}::float8 / 1000)`;
  const archived = await sql`
    delete from archived_alerts using (
      select tenant_id, id from archived_alerts where tenant_id = any(${tenants}::uuid[]) and resolved_at < ${isOldArchive}
      limit ${limit} for update skip locked
    ) expired
    where archived_alerts.tenant_id = expired.tenant_id and archived_alerts.id = expired.id`;
  const missed = await sql`
    delete from missed_alerts using (
      select tenant_id, id from missed_alerts where tenant_id = any(${tenants}::uuid[]) and created_at < ${isOldArchive} limit ${limit} for update skip locked
    ) expired
    where missed_alerts.tenant_id = expired.tenant_id and missed_alerts.id = expired.id`;
  const deliveries = await sql`
    delete from deliveries using (
      select tenant_id, id from deliveries
      where tenant_id = any(${tenants}::uuid[]) and trigger_id is null and created_at < ${old} and status in ('delivered', 'dead', 'suppressed')
      limit ${limit} for update skip locked
    ) expired
    where deliveries.tenant_id = expired.tenant_id and deliveries.id = expired.id`;
  const messages = await sql`
    delete from inbox using (
      select tenant_id, id from inbox where tenant_id = any(${tenants}::uuid[]) and created_at < ${old} limit ${limit} for update skip locked
    ) expired
    where inbox.tenant_id = expired.tenant_id and inbox.id = expired.id`;
  const silences = await sql`
    delete from silences using (
      select tenant_id, id from silences where tenant_id = any(${tenants}::uuid[]) and ends_at < ${old} limit ${limit} for update skip locked
    ) expired
    where silences.tenant_id = expired.tenant_id and silences.id = expired.id`;
  const windows = await sql`
    delete from message_windows using (
      select tenant_id, channel_id, scope from message_windows
      where tenant_id = any(${tenants}::uuid[]) and opened_at < tocsin_now() - interval '1 hour' limit ${limit} for update skip locked
    ) expired
    where message_windows.tenant_id = expired.tenant_id and message_windows.channel_id = expired.channel_id and message_windows.scope = expired.scope`;
  const drills = await sql`
    delete from drills using (
      select tenant_id, id from drills where tenant_id = any(${tenants}::uuid[]) and finished_at < ${old} limit ${limit} for update skip locked
    ) expired
    where drills.tenant_id = expired.tenant_id and drills.id = expired.id`;
  const incidents = await sql`
    delete from incidents using (
      select tenant_id, id from incidents quiet
      where tenant_id = any(${tenants}::uuid[]) and last_at < ${old}
        and not exists (select from incident_alerts where incident_alerts.tenant_id = quiet.tenant_id and incident_alerts.incident_id = quiet.id)
      limit ${limit} for update skip locked
    ) expired
    where incidents.tenant_id = expired.tenant_id and incidents.id = expired.id`;
  const keys = await sql`
    delete from idempotency_keys using (
      select tenant_id, route, key from idempotency_keys
      where tenant_id = any(${tenants}::uuid[]) and created_at < tocsin_now() - interval '24 hours' limit ${limit} for update skip locked
    ) expired
    where idempotency_keys.tenant_id = expired.tenant_id and idempotency_keys.route = expired.route and idempotency_keys.key = expired.key`;
  const names = await sql`
    delete from event_names using (
      select tenant_id, name from event_names
      where tenant_id = any(${tenants}::uuid[]) and last_seen_at < tocsin_now() - make_interval(secs => ${eventsMs}::float8 / 1000)
      limit ${limit} for update skip locked
    ) expired
    where event_names.tenant_id = expired.tenant_id and event_names.name = expired.name`;
  const isOldHour = sql`hour_at < tocsin_now() - make_interval(secs => ${eventsMs}::float8 / 1000)`;
  const partials = await sql`
    delete from partials using (
      select tenant_id, key, hour_at from partial_keys join partials using (tenant_id, key)
      where tenant_id = any(${tenants}::uuid[]) and ${isOldHour} limit ${limit} for update of partials skip locked
    ) expired
    where partials.tenant_id = expired.tenant_id and partials.key = expired.key and partials.hour_at = expired.hour_at`;
  const hours = await sql`
    delete from hour_versions using (
      select tenant_id, hour_at from hour_versions where tenant_id = any(${tenants}::uuid[]) and ${isOldHour} limit ${limit} for update skip locked
    ) expired
    where hour_versions.tenant_id = expired.tenant_id and hour_versions.hour_at = expired.hour_at`;
  // Each takes up to a month of hours with it.
  const unneeded = await sql`
    delete from partial_keys using (
      select tenant_id, key from partial_keys
      where tenant_id = any(${tenants}::uuid[]) and needed_at < tocsin_now() - interval '7 days' limit ${Math.ceil(limit / 100)} for update skip locked
    ) expired
    where partial_keys.tenant_id = expired.tenant_id and partial_keys.key = expired.key`;
  const derived = partials.count + hours.count + unneeded.count;
  const handled =
    archived.count + missed.count + deliveries.count + messages.count + silences.count + windows.count + drills.count + incidents.count;
  return handled + keys.count + names.count + derived;
}
