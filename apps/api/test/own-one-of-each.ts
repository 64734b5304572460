import { slowReading } from '@tocsin/testkit';
import { insertLinks, newId, openAlerts, withTenantsSql } from '@tocsin/db';
import { type Actor, aMetric, aRule, aSilence, aWebhook, aWindow, type World } from './open-world.ts';

/** Gives a tenant one of everything that has an id or key; answers them by the noun that stands before the parameter in a path. */
export async function ownOneOfEach(world: World, tenant: Actor): Promise<Record<string, string>> {
  const channel = await tenant.ask('POST', '/channels', aWebhook());
  const rule = await tenant.ask('POST', '/rules', aRule({ key: 'slow' }));
  await tenant.ask('POST', '/metrics/definitions', aMetric());
  const inbox = await tenant.ask('POST', '/channels', { key: 'inbox', name: 'Inbox', kind: 'inbox' });
  const tested = await tenant.ask('POST', `/channels/${inbox.body.id}/test`);
  await tenant.ask('POST', '/escalation-policies', {
    key: 'nobody',
    name: 'Nobody has it',
    steps: [{ after: '5m', channels: [channel.body.key] }],
  });
  const silence = await tenant.ask('POST', '/silences', aSilence());
  const window = await tenant.ask('POST', '/maintenance-windows', aWindow());
  await tenant.ask('POST', '/runbook-actions', { key: 'restart', name: 'Restart', on: ['fired'], url: 'https://automation.example/in' });
  const alerts = await openedAlert(world, tenant.tenantId, rule.body.id);
  return {
    'runbook-actions': 'restart',
    'escalation-policies': 'nobody',
    silences: silence.body.id,
    'maintenance-windows': window.body.id,
    rules: rule.body.id,
    channels: channel.body.id,
    'by-key': 'slow',
    definitions: 'open-issues',
    alerts,
    incidents: await incidentOf(world, tenant.tenantId, alerts),
    deliveries: tested.body.deliveryId,
    drills: (await tenant.ask('POST', '/drills', { channels: ['inbox'] })).body.id,
    tenants: tenant.tenantId,
    'api-keys': (await tenant.ask('GET', `/tenants/${tenant.tenantId}/api-keys`)).body.data[0].id,
  };
}

/** An alert of the rule, as an evaluator opens it. */
export async function openedAlert({ services }: World, tenantId: string, ruleId: string): Promise<string> {
  const reading = slowReading({ samples: 1 });
  const alert = {
    tenantId,
    id: newId(),
    ruleId,
    ruleKey: 'slow',
    ruleName: 'Slow calls',
    seriesKey: '{}',
    labels: {},
    alertType: 'threshold' as const,
    typeName: 'latency_high' as const,
    category: null,
    severity: 'warning' as const,
    reading,
    startedMs: Date.now(),
    breachedMs: Date.now(),
  };
  await withTenantsSql(services.db, [tenantId], (sql) => openAlerts(sql, [alert]));
  return alert.id;
}

/** An incident of one alert, as the dispatcher links it. */
export async function incidentOf({ services }: World, tenantId: string, alertId: string): Promise<string> {
  const id = newId();
  const incident = { id, firstMs: Date.now(), lastMs: Date.now(), alerts: 1, isNew: true };
  const linked = { links: [{ alertId, incidentId: id }], incidents: [incident] };
  await withTenantsSql(services.db, [tenantId], (sql) => insertLinks(sql, tenantId, linked));
  return id;
}
