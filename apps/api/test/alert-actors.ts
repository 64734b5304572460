import { newId, openAlerts, withTenantsSql, type NewAlert } from '@tocsin/db';
import { firstState } from '@tocsin/domain';
import { slowReading } from '@tocsin/testkit';
import { type Actor, aRule, type World } from './open-world.ts';

/** A tenant with a rule, whose alerts a test opens as an evaluator does: with the series they are of. */
export async function alertActors(world: World, tenant: Actor) {
  const { tenantId } = tenant;
  const inTenant = <T>(work: Parameters<typeof withTenantsSql<T>>[2]): Promise<T> => withTenantsSql(world.services.db, [tenantId], work);
  const { body: rule } = await tenant.ask('POST', '/rules', aRule({ key: 'slow', name: 'Slow calls' }));
  const ruleId: string = rule.id;

  const open = async (model: string, more: Partial<NewAlert> = {}): Promise<string> => {
    const id = newId();
    const seriesKey = JSON.stringify({ model, id });
    const startedMs = more.startedMs ?? Date.now();
    const alert: NewAlert = {
      tenantId,
      id,
      ruleId,
      ruleKey: 'slow',
      ruleName: 'Slow calls',
      seriesKey,
      labels: { model },
      alertType: 'threshold',
      typeName: 'latency_high',
      category: null,
      severity: 'warning',
      reading: slowReading(),
      startedMs,
      breachedMs: startedMs,
      ...more,
    };
    const fired = { slotMs: startedMs, severity: alert.severity, rank: 1 };
    const state = {
      ...firstState(startedMs),
      phase: 'firing',
      alertType: 'threshold',
      severityFired: alert.severity,
      lastFired: { threshold: fired },
    };
    await inTenant(async (sql) => {
      await openAlerts(sql, [alert]);
      await sql`
        insert into series_states (tenant_id, rule_id, series_key, labels, state, phase, alert_id, last_seen_at)
        values (${tenantId}, ${alert.ruleId}, ${seriesKey}, ${JSON.stringify(alert.labels)}::text::jsonb, ${JSON.stringify(state)}::text::jsonb, 'firing', ${id}, tocsin_now())`;
    });
    return id;
  };
  return { ruleId, inTenant, open };
}
