import { channelOf, splitSecrets } from '@tocsin/channels';
import {
  insertChannel,
  insertRule,
  insertTriggers,
  newId,
  placeOfSecrets,
  openAlerts,
  snapshotOf,
  withTenant,
  withTenantsSql,
  type NewAlert,
  type NewTrigger,
} from '@tocsin/db';
import { parseRule } from '@tocsin/domain';
import { secretBox } from '@tocsin/runtime';
import { makeTenant, slowReading } from '@tocsin/testkit';
import type { BenchDatabase } from './bench-database.ts';

export const SECRET_KEY = 'benchmark-secret-key-of-32-characters';
const CHANNEL_KEY = 'hook';

export interface RuleRef {
  tenantId: string;
  ruleId: string;
}

/** A tenant with a rule that tells a webhook at `url`. */
export async function makeRule({ db }: BenchDatabase, url: string): Promise<RuleRef> {
  const { tenantId } = await makeTenant(db);
  const definition = channelOf('webhook');
  const condition = { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 };
  const parsed = parseRule({ name: 'Slow', condition, notify: [{ channel: CHANNEL_KEY }] });
  if (definition === null || !parsed.ok) throw new Error('no such channel or rule');
  const { config, secrets } = splitSecrets(definition, definition.config.parse({ url }));
  const [id, ruleId] = [newId(), newId()];
  const sealed = secretBox(SECRET_KEY).seal(JSON.stringify(secrets), placeOfSecrets(tenantId, id));
  await withTenant(db, tenantId, async (tx) => {
    await insertChannel(tx, {
      tenantId,
      id,
      key: CHANNEL_KEY,
      name: 'Hook',
      kind: 'webhook',
      config,
      secrets: sealed,
      enabled: true,
      actor: 'bench',
    });
    await insertRule(tx, { tenantId, id: ruleId, spec: parsed.spec, enabled: true, actor: 'bench' });
  });
  return { tenantId, ruleId };
}

export interface CommittedTrigger {
  alertId: string;
  triggerId: string;
}

/**
 * Opens as many alerts, each with its trigger, in one transaction, as the evaluator does when a rule fires. Resolves once they are committed. Each says that
 * it is of a rule of its own: what is of one rule would be told together.
 */
export async function commitTriggers({ db }: BenchDatabase, { tenantId, ruleId }: RuleRef, count: number): Promise<CommittedTrigger[]> {
  const nowMs = Date.now();
  const alerts = Array.from({ length: count }, (): NewAlert => alertOf(tenantId, newId(), newId(), nowMs));
  const triggers = alerts.map((alert): NewTrigger => {
    const snapshot = snapshotOf({ ...alert, status: 'triggered', resolvedMs: null, acknowledgedBy: null });
    return { tenantId, id: newId(), alertId: alert.id, ruleId, seq: 1, kind: 'fired', severity: 'critical', slotMs: nowMs, snapshot };
  });
  await withTenantsSql(db, [tenantId], async (sql) => {
    await openAlerts(sql, alerts);
    await insertTriggers(sql, triggers);
  });
  return triggers.map(({ id, alertId }) => ({ alertId, triggerId: id }));
}

const alertOf = (tenantId: string, ruleId: string, id: string, startedMs: number): NewAlert => ({
  tenantId,
  id,
  ruleId,
  ruleKey: 'slow',
  ruleName: 'Slow',
  seriesKey: id,
  labels: {},
  alertType: 'threshold',
  typeName: 'latency_high',
  category: null,
  severity: 'critical',
  reading: slowReading(),
  startedMs,
  breachedMs: startedMs,
});
