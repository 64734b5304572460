import { newId } from '@tocsin/db';
import type { MetricQuery } from '@tocsin/domain';
import { createLogger, createMetrics } from '@tocsin/runtime';
import { fakeClock, makeTenant, testDatabase, type TestDatabase } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openEventStore } from './open-event-store.ts';
import type { EventStore } from './event-store.ts';

const MINUTE = 60_000;
const NEVER = new AbortController().signal;
let database: TestDatabase;
let store: EventStore;
const clock = fakeClock(new Date(Math.floor(Date.now() / MINUTE) * MINUTE).toISOString());
const now = clock.now();

beforeAll(async () => {
  database = await testDatabase();
  store = openEventStore({ db: database.db, logger: createLogger('test', 'silent'), metrics: createMetrics('test'), clock });
});
afterAll(async () => {
  await store.close();
  await database.drop();
});

const count: MetricQuery = {
  name: null, subject: { kind: 'event' }, aggregation: 'count', filters: [], groupBy: [], windowMs: 5 * MINUTE, ratePerMs: MINUTE,
};
const p95: MetricQuery = { ...count, subject: { kind: 'measure', measures: ['duration_ms'], orSumOf: [] }, aggregation: 'p95' };

test('what was acknowledged is read, in its window and by its tenant alone', async () => {
  const { tenantId } = await makeTenant(database.db);
  const other = await makeTenant(database.db);
  const answer = await store.ingest(tenantId, [
    { ts: now - 1, name: 'call', measures: { duration_ms: 100 } },
    { ts: now - 5 * MINUTE, name: 'call', measures: { duration_ms: 200 } },
    { ts: now - 5 * MINUTE - 1, name: 'call', measures: { duration_ms: 900 } },
    { ts: now, name: 'call', measures: { duration_ms: 900 } },
    { name: 'call', measures: { duration_ms: NaN } },
  ]);
  expect(answer).toMatchObject({ accepted: 4, rejected: [{ index: 4, code: 'bad_measure_value' }], replayed: false });
  const queries = [count, p95].map((query) => ({ query, endMs: now }));
  const readings = await store.source.read([{ tenantId, queries }, { tenantId: other.tenantId, queries }], NEVER);
  expect(readings).toEqual([
    [
      { kind: 'series', series: [{ labels: {}, value: 2, samples: 2 }], dropped: 0 },
      { kind: 'series', series: [{ labels: {}, value: 195, samples: 2 }], dropped: 0 },
    ],
    [
      { kind: 'series', series: [{ labels: {}, value: 0, samples: 0 }], dropped: 0 },
      { kind: 'series', series: [{ labels: {}, value: null, samples: 0 }], dropped: 0 },
    ],
  ]);
});
