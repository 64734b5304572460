import { withTenantsSql } from '@tocsin/db';
import { type Deployment, newTenant, openDeployment } from '@tocsin/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

describe('kill -9 while a saved metric is recorded', () => {
  let deployment: Deployment;
  beforeAll(async () => {
    deployment = await openDeployment('postgres', { api: 1, scheduler: 0, evaluator: 0, dispatcher: 0 });
  }, 120_000);
  afterAll(() => deployment?.close(), 30_000);

  test.for(['recorder.after-read', 'recorder.mid-transaction'])(
    'at %s: the instant is recorded once, by another',
    { timeout: 120_000 },
    async (point) => {
      const { api, tenantId } = await newTenant(deployment.url, deployment.adminKey, point);
      await api.post('/api/v1/events', { events: [7, 3].map((open) => ({ name: 'board', measures: { open } })) });
      await api.post('/api/v1/metrics/definitions', {
        key: 'open-issues',
        name: 'Open',
        query: { measure: 'open', window: '1h' },
        every: '1h',
        evaluationDelay: '0s',
      });
      const inTenant = (statement: 'due' | 'free'): Promise<unknown> =>
        withTenantsSql(deployment.database.db, [tenantId], (sql) =>
          statement === 'due'
            ? sql`update metric_definitions set next_due_at = tocsin_now()`
            : sql`update metric_definitions set held_until = null`,
        );
      await inTenant('due');
      const doomed = await deployment.start('evaluator', { TOCSIN_FAULT_POINT: point });
      expect(await doomed.exited, doomed.output()).toBe('SIGKILL');
      const recorded = async (): Promise<unknown[]> =>
        (await api.get<{ data: { measures: object }[] }>('/api/v1/events?name=metric.open-issues')).data.map(({ measures }) => measures);
      expect(await recorded()).toEqual([]);

      // Not to wait half a minute.
      await inTenant('free');
      const others = await Promise.all([deployment.start('evaluator'), deployment.start('evaluator')]);
      await vi.waitFor(async () => expect(await recorded()).toEqual([{ value: 5 }]), { timeout: 60_000, interval: 100 });
      await inTenant('free');
      await Promise.all(others.map((other) => other.stop()));
      expect(await recorded()).toEqual([{ value: 5 }]);
    },
  );
});
