import type { Deployment, Received } from '@tocsin/testkit';
import postgres from 'postgres';

/** What the promises forbid, counted in the tables. All zero, or something was lost or doubled. */
export interface Broken {
  unfinishedRuns: number;
  /** Slots of a tenant's grid, from its first run to its last, that no run and no skipped row accounts for. */
  unaccountedSlots: number;
  /** Alerts of one series that overlap. */
  overlappingAlerts: number;
  /** Triggers that are not planned or suppressed. */
  openTriggers: number;
  /** Two triggers of one alert for one change, or a resolution without a firing before it. */
  repeatedChanges: number;
  openDeliveries: number;
}

export async function broken({ database }: Deployment, everyMs: number): Promise<Broken> {
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {}, connection: { search_path: 'tocsin' } });
  const [row] = await admin<[Broken]>`
    with accounted as (
      select tenant_id, sum(case when status = 'skipped' then skipped_count else 1 end) as slots,
             extract(epoch from max(slot_at) - min(coalesce(skipped_from, slot_at))) * 1000 / ${everyMs}::float8 + 1 as expected
      from runs where kind = 'scheduled' group by tenant_id)
    select
      (select count(*)::int from runs where status in ('queued', 'running') and slot_at < now() - interval '5 s') as "unfinishedRuns",
      (select coalesce(sum(abs(expected - slots)), 0)::int from accounted) as "unaccountedSlots",
      (select count(*)::int from alerts a join alerts b on a.tenant_id = b.tenant_id and a.rule_id = b.rule_id and a.series_key = b.series_key
        and a.id < b.id and tstzrange(a.started_at, a.resolved_at) && tstzrange(b.started_at, b.resolved_at)) as "overlappingAlerts",
      (select count(*)::int from triggers where status = 'pending') as "openTriggers",
      (select count(*)::int from (select from triggers where kind in ('fired', 'resolved') group by tenant_id, alert_id, kind having count(*) > 1) doubled)
        + (select count(*)::int from triggers r where r.kind = 'resolved' and not exists
            (select from triggers f where f.tenant_id = r.tenant_id and f.alert_id = r.alert_id and f.kind <> 'resolved' and f.seq < r.seq)) as "repeatedChanges",
      (select count(*)::int from deliveries where status in ('pending', 'sending', 'retrying')) as "openDeliveries"`;
  await admin.end();
  return row;
}

export const NOTHING_BROKEN: Broken = {
  unfinishedRuns: 0,
  unaccountedSlots: 0,
  overlappingAlerts: 0,
  openTriggers: 0,
  repeatedChanges: 0,
  openDeliveries: 0,
};

/** Messages by their id. One id with two bodies is a broken promise and throws. */
export function messagesById(requests: readonly Received[]): Map<string, { sends: number; body: string }> {
  const messages = new Map<string, { sends: number; body: string }>();
  for (const { headers, body } of requests) {
    const id = String(headers['webhook-id']);
    const known = messages.get(id);
    if (known !== undefined && known.body !== body) throw new Error(`message ${id} was sent with two bodies`);
    messages.set(id, { sends: (known?.sends ?? 0) + 1, body });
  }
  return messages;
}
