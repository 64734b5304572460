import type postgres from 'postgres';
import type { Played } from '../play.ts';
import { CHANNELS } from '../receivers.ts';

interface TriggerRow {
  track: string;
  kind: string;
  alertId: string;
  slot: Date;
  status: string;
  deliveries: { channel: string; status: string; reason: string | null }[];
}

/** Exactly the scripted triggers, in legal order, and each with one delivery for each channel that ended as that channel's must. */
export async function brokenTransitions(sql: postgres.Sql, played: readonly Played[]): Promise<string[]> {
  const rows = await sql<TriggerRow[]>`
    select external_key || ' ' || rule_key || ' ' || coalesce(a.labels ->> 'series', '') as track, t.kind, t.alert_id as "alertId", t.slot_at as slot, t.status,
      (select coalesce(jsonb_agg(jsonb_build_object('channel', channel_key, 'status', d.status, 'reason', d.reason)), '[]') from deliveries d
       where d.tenant_id = t.tenant_id and d.trigger_id = t.id) as deliveries
    from triggers t join tenants using (tenant_id) join alerts a on a.tenant_id = t.tenant_id and a.id = t.alert_id
    order by t.slot_at, t.seq`;
  const byTrack = Map.groupBy(rows, ({ track }) => track);
  const broken: string[] = [];
  for (const { track, expected } of played) {
    const name = `${track.tenant.externalKey} ${track.ruleKey} ${track.series}`;
    const triggers = byTrack.get(name) ?? [];
    byTrack.delete(name);
    const kinds = triggers.map(({ kind }) => kind);
    if (kinds.join() !== expected.join()) broken.push(`${name}: expected ${expected.join()}, there is ${kinds.join()}`);
    triggers.forEach((trigger, at) => {
      const before = triggers[at - 1];
      if (before !== undefined && trigger.slot <= before.slot) broken.push(`${name}: two triggers at ${trigger.slot.toISOString()}`);
      if (trigger.kind === 'resolved' && trigger.alertId !== before?.alertId) broken.push(`${name}: resolved is of another alert`);
      if (trigger.kind === 'fired' && trigger.alertId === before?.alertId) broken.push(`${name}: an alert fired twice`);
      broken.push(...brokenDeliveries(trigger, track.ruleKey === 'jumping').map((fault) => `${name}: ${fault}`));
    });
  }
  for (const [name, triggers] of byTrack) broken.push(`${name}: ${triggers.length} triggers that nobody caused`);
  return broken;
}

/** `isCritical`: the channel for critical alerts hears of it too. */
function brokenDeliveries({ kind, status, deliveries }: TriggerRow, isCritical: boolean): string[] {
  const must: Record<string, string> = {
    steady: 'delivered',
    moody: 'delivered',
    refusing: 'dead',
    critical: isCritical ? 'delivered' : 'suppressed',
  };
  const broken = status === 'planned' ? [] : [`${kind} is ${status}`];
  for (const channel of CHANNELS) {
    const found = deliveries.filter((delivery) => delivery.channel === channel).map((delivery) => delivery.status);
    // Who was never told need not be in the plan of the end, and who heard of it because another channel failed hears its end.
    if (kind === 'resolved' && must[channel] === 'suppressed' && ['', 'delivered'].includes(found.join())) continue;
    if (found.join() !== must[channel]) broken.push(`${kind} to ${channel} is ${found.join() || 'nowhere'} instead of ${must[channel]}`);
  }
  return broken;
}
