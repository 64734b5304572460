import { splitSecrets, channelOf } from '@tocsin/channels';
import { insertTriggers, newId, placeOfSecrets, withTenantsSql, type Database, type SqlTx } from '@tocsin/db';
import type { AlertSnapshot, Severity, TriggerKind } from '@tocsin/domain';
import { openQueues, type QueueBackend, type Queues } from '@tocsin/queue';
import { createLogger, createMetrics, openOutbound, secretBox, systemClock, type SecretBox } from '@tocsin/runtime';
import { makeTenant, testDatabase, testQueue, slowReading } from '@tocsin/testkit';
import { Writable } from 'node:stream';
import type { DeliveryDeps } from '../src/deliver/delivery-deps.ts';

export interface DeliveryRow {
  id: string;
  channelKey: string;
  kind: string;
  status: string;
  reason: string | null;
  body: string | null;
  attempts: number;
  countedAttempts: number;
  nextInMs: number;
}

export interface AttemptRow {
  number: number;
  startedMs: number;
  outcome: string | null;
  statusCode: number | null;
  reason: string | null;
  retryAfterMs: number | null;
  responseExcerpt: string | null;
}

export type DeliveryWorld = Awaited<ReturnType<typeof deliveryWorld>>;

/** One tenant, its database and queues. */
export async function deliveryWorld(backend: QueueBackend) {
  const [database, queue] = await Promise.all([testDatabase(), testQueue(backend)]);
  const { db } = database;
  const tenant = await makeTenant(db);
  const { tenantId } = tenant;
  const log: string[] = [];
  const logger = createLogger(
    'test',
    'trace',
    new Writable({ write: (chunk: Buffer, _encoding, done) => (log.push(chunk.toString()), done()) }),
  );
  const box = secretBox('a-secret-key-for-tests-of-32-chars-or-more');
  const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });
  const opened: Queues[] = [];
  const openDeps = async (): Promise<DeliveryDeps> => {
    const queues = await openQueues({ url: queue.url, logger });
    opened.push(queues);
    return {
      db,
      queues,
      logger,
      metrics: createMetrics('test'),
      clock: systemClock,
      outbound,
      secretBox: box,
      publicUrl: 'https://tocsin.example',
    };
  };
  const deps = await openDeps();

  return {
    ...tenant,
    database,
    queue,
    db,
    deps,
    openDeps,
    log,
    ...tenantOf(db, box, tenantId),

    /** Another tenant beside it. */
    neighbour: async () => tenantOf(db, box, (await makeTenant(db)).tenantId),

    async close(): Promise<void> {
      db.clock.shiftMs = 0;
      await Promise.all(opened.map((queues) => queues.close()));
      await outbound.close();
      await queue.close();
      await database.drop();
    },
  };
}

/** What its people and the evaluator put there, and what there is to see. */
function tenantOf(db: Database, box: SecretBox, tenantId: string) {
  const inTenant = <T>(work: (sql: SqlTx) => Promise<T>): Promise<T> => withTenantsSql(db, [tenantId], work);

  return {
    inTenant,

    async channel(key: string, kind: string, config: Record<string, unknown> = {}): Promise<string> {
      const channel = channelOf(kind);
      if (channel === null) throw new Error(`no kind ${kind}`);
      const id = newId();
      const parts = splitSecrets(channel, channel.config.parse(config));
      const sealed = box.seal(JSON.stringify(parts.secrets), placeOfSecrets(tenantId, id));
      await inTenant(
        (sql) => sql`
          insert into channels (tenant_id, id, key, name, kind, config, secrets, created_by, updated_by)
          values (${tenantId}, ${id}, ${key}, ${key}, ${kind}, ${JSON.stringify(parts.config)}::text::jsonb, ${sealed}, 'test', 'test')`,
      );
      return id;
    },

    /** `notify` as in a rule: channel keys, or key and the severity from which it hears. */
    async rule(
      notify: readonly (string | [string, Severity])[],
      more: { remindEvery?: string; annotations?: Record<string, string> } = {},
    ): Promise<string> {
      const id = newId();
      const list = notify.map((entry) =>
        typeof entry === 'string' ? { channel: entry, minSeverity: 'info' } : { channel: entry[0], minSeverity: entry[1] },
      );
      const spec = { key: `rule-${id}`, name: 'Checkout latency', notify: list, annotations: {}, labels: {}, ...more };
      await inTenant(
        (sql) => sql`
          insert into rules (tenant_id, id, key, name, spec, created_by, updated_by)
          values (${tenantId}, ${id}, ${spec.key}, ${spec.name}, ${JSON.stringify(spec)}::text::jsonb, 'test', 'test')`,
      );
      return id;
    },

    async alert(ruleId: string): Promise<string> {
      const id = newId();
      const reading = slowReading();
      await inTenant(
        (sql) => sql`
          insert into alerts (tenant_id, id, rule_id, rule_key, rule_name, series_key, labels, alert_type, status, severity, reading, started_at, last_slot_at)
          values (${tenantId}, ${id}, ${ruleId}, 'checkout-p95', 'Checkout latency', ${id}, '{}', 'threshold', 'active', 'critical',
                  ${JSON.stringify(reading)}::text::jsonb, tocsin_now(), tocsin_now())`,
      );
      return id;
    },

    /** Puts a trigger into the outbox; hints nobody. */
    async trigger(
      ruleId: string,
      alertId: string,
      kind: TriggerKind,
      severity: Severity = 'critical',
    ): Promise<{ tenantId: string; triggerId: string }> {
      const triggerId = newId();
      await inTenant(async (sql) => {
        const [row] = await sql<{ seq: number; nowMs: number }[]>`
          update alerts set trigger_seq = trigger_seq + 1 where tenant_id = ${tenantId} and id = ${alertId} returning trigger_seq as seq, tocsin_now() as "nowMs"`;
        if (row === undefined) throw new Error('no such alert');
        const snapshot: AlertSnapshot = {
          id: alertId,
          name: 'Checkout latency',
          alertType: 'latency_high',
          cause: 'threshold',
          status: kind === 'resolved' ? 'resolved' : 'active',
          severity,
          metric: 'latency',
          aggregation: 'p95',
          operator: '>',
          value: 2_000,
          threshold: 1_000,
          unit: 'ms',
          window: '5m',
          samples: 12,
          labels: {},
          startedAt: new Date(row.nowMs).toISOString(),
          resolvedAt: kind === 'resolved' ? new Date(row.nowMs).toISOString() : null,
          url: null,
        };
        await insertTriggers(sql, [
          { tenantId, id: triggerId, alertId, ruleId, seq: row.seq, kind, severity, slotMs: row.nowMs, snapshot },
        ]);
      });
      return { tenantId, triggerId };
    },

    /** Of an alert, or of none; without what was told instead of one that is dead. */
    deliveries: (alertId: string | null): Promise<DeliveryRow[]> =>
      inTenant(
        (sql) => sql<DeliveryRow[]>`
          select id, channel_key as "channelKey", kind, status, reason, body, attempts, counted_attempts as "countedAttempts",
                 (extract(epoch from next_attempt_at - tocsin_now()) * 1000)::float8 as "nextInMs"
          from deliveries where tenant_id = ${tenantId} and alert_id is not distinct from ${alertId} and kind <> 'undelivered'
          order by created_at, channel_key`,
      ),

    attempts: (deliveryId: string): Promise<AttemptRow[]> =>
      inTenant(
        (sql) => sql<AttemptRow[]>`
          select number, started_at as "startedMs", outcome, status_code as "statusCode", reason, retry_after_ms as "retryAfterMs",
                 response_excerpt as "responseExcerpt"
          from delivery_attempts where tenant_id = ${tenantId} and delivery_id = ${deliveryId} order by number`,
      ),

    timeline: (alertId: string): Promise<{ kind: string; reason: string | null; actor: string }[]> =>
      inTenant(
        (sql) => sql<{ kind: string; reason: string | null; actor: string }[]>`
        select kind, reason, actor from alert_events where tenant_id = ${tenantId} and alert_id = ${alertId} order by at, id`,
      ),
  };
}
