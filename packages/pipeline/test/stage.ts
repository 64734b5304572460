import { newId, refreshSchedule, withTenant, withTenantsSql, type Database, type SqlTx } from '@tocsin/db';
import {
  parseRule,
  phaseOf,
  type HistorySource,
  type MetricSource,
  type QueryResult,
  type ReadRequest,
  type SavedMetrics,
} from '@tocsin/domain';
import { openQueues, type QueueBackend, type Queues } from '@tocsin/queue';
import { createLogger, createMetrics, systemClock } from '@tocsin/runtime';
import { makeTenant, testDatabase, testQueue } from '@tocsin/testkit';
import postgres from 'postgres';
import type { EvaluatorDeps } from '../src/index.ts';

const DAY_MS = 86_400_000;

/** A database, queues and a metric source that answers what the test says. */
export interface Stage {
  db: Database;
  queues: Queues;
  deps: EvaluatorDeps;
  source: ScriptedSource;
  /** Of the database, as the app's role. */
  appUrl: string;
  wipeQueues: () => Promise<void>;
  /** Takes all tenants out of play and the clock back to now, so that the next test has the stage to itself. */
  clear: () => Promise<void>;
  close: () => Promise<void>;
}

export interface ScriptedSource extends MetricSource {
  /** What a query of this tenant answers; the default is one series of value 0. */
  answer: (tenantId: string) => number | QueryResult;
  /** Waits before answering; rejects to make the read fail. */
  before: (requests: readonly ReadRequest[], signal: AbortSignal) => Promise<void>;
  reads: number;
}

export function scriptedSource(): ScriptedSource {
  const source: ScriptedSource = {
    answer: () => 0,
    before: () => Promise.resolve(),
    reads: 0,
    async read(requests, signal) {
      source.reads += 1;
      await source.before(requests, signal);
      return requests.map(({ tenantId, queries }) => queries.map(() => resultOf(source.answer(tenantId))));
    },
  };
  return source;
}

/** Of a stage whose readings are scripted nothing is known from before. */
const NO_PAST: HistorySource = {
  history: (requests) =>
    Promise.resolve(requests.map(({ queries }) => queries.map(() => ({ kind: 'history' as const, series: [], dropped: 0 })))),
};

const resultOf = (answer: number | QueryResult): QueryResult =>
  typeof answer === 'number' ? { kind: 'series', series: [{ labels: {}, value: answer, samples: 5 }], dropped: 0 } : answer;

export async function openStage(backend: QueueBackend): Promise<Stage> {
  const [database, queue] = await Promise.all([testDatabase(), testQueue(backend)]);
  const logger = createLogger('test', 'silent');
  const queues = await openQueues({ url: queue.url, logger });
  const source = scriptedSource();
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {} });
  return {
    db: database.db,
    queues,
    source,
    deps: { db: database.db, queues, logger, metrics: createMetrics('test'), clock: systemClock, source, histories: NO_PAST },
    appUrl: database.appUrl,
    wipeQueues: queue.wipe,
    clear: async () => {
      await admin`truncate tocsin.tenants cascade`;
      await admin`truncate tocsin.runs`;
      database.db.clock.shiftMs = 0;
      source.answer = () => 0;
      source.before = () => Promise.resolve();
    },
    close: async () => {
      await admin.end();
      await queues.close();
      await queue.close();
      await database.drop();
    },
  };
}

/** A tenant whose schedule looks every `everyMs`. */
export async function tenantWith(db: Database, everyMs: number): Promise<string> {
  const { tenantId } = await makeTenant(db, { tenantId: idWithSlotAt(Date.now() + db.clock.shiftMs, everyMs) });
  await withTenant(db, tenantId, (tx) => refreshSchedule(tx, tenantId));
  await asTenant(db, tenantId, (sql) => sql`update schedules set every_ms = ${everyMs}`);
  return tenantId;
}

/**
 * The tenant's slots begin now: after whole intervals the clock stands at the beginning of a slot again, and a run is `late` only where a
 * test takes longer than an interval, not by chance.
 */
function idWithSlotAt(nowMs: number, everyMs: number): string {
  for (;;) {
    const id = newId();
    if ((nowMs + DAY_MS - phaseOf(id)) % everyMs < 1_000) return id;
  }
}

export const SLOW_RULE = {
  key: 'slow',
  name: 'Slow',
  condition: { metric: 'latency', window: '5m', operator: '>', threshold: 100 },
  cooldown: '0s',
};

/** Saves a rule as people would; answers its id. */
export async function addRule(db: Database, tenantId: string, rule: object = {}, savedMetrics?: SavedMetrics): Promise<string> {
  const parsed = parseRule({ ...SLOW_RULE, ...rule }, undefined, savedMetrics);
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.issues));
  const { spec } = parsed;
  const id = newId();
  await asTenant(
    db,
    tenantId,
    (sql) => sql`
    insert into rules (tenant_id, id, key, name, spec, created_by, updated_by)
    values (${tenantId}, ${id}, ${spec.key}, ${spec.name}, ${JSON.stringify(spec)}::text::jsonb, 'test', 'test')`,
  );
  await withTenant(db, tenantId, (tx) => refreshSchedule(tx, tenantId));
  return id;
}

export const asTenant = <T>(db: Database, tenantId: string, work: (sql: SqlTx) => Promise<T>): Promise<T> =>
  withTenantsSql(db, [tenantId], work);

export interface RunRow {
  id: string;
  slotMs: number;
  status: string;
  reason: string | null;
  attempts: number;
  skippedCount: number | null;
  rules: number | null;
  triggers: number | null;
}

export const runsOf = (db: Database, tenantId: string): Promise<RunRow[]> =>
  asTenant(
    db,
    tenantId,
    (sql) => sql<RunRow[]>`
    select id, slot_at as "slotMs", status, reason, attempts, skipped_count as "skippedCount", rules, triggers from runs order by slot_at`,
  );

export const triggersOf = (
  db: Database,
  tenantId: string,
): Promise<{ kind: string; seq: number; status: string; snapshot: { value: number | null } }[]> =>
  asTenant(
    db,
    tenantId,
    (sql) => sql<{ kind: string; seq: number; status: string; snapshot: { value: number | null } }[]>`
    select kind, seq, snapshot ->> 'status' as status, snapshot from triggers order by slot_at, id`,
  );
