import { insertTenant, newId, withTenant, withTenantsSql } from '@tocsin/db';
import { FAILING_AFTER, PLATFORM_KEY, PLATFORM_TENANT_ID } from '@tocsin/domain';
import { openEventStore, type EventStore } from '@tocsin/events';
import { describeQueues, makeTenant } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStage, type Stage } from '../../test/stage.ts';
import { measurePlatform } from './measure-platform.ts';

describeQueues('the platform', (backend) => {
  let stage: Stage;
  let store: EventStore;
  beforeAll(async () => {
    stage = await openStage(backend);
    store = openEventStore(stage.deps);
  });
  afterAll(async () => {
    await store.close();
    await stage.close();
  });

  /** A channel that fails and a delivery that is dead. */
  const trouble = (tenantId: string): Promise<void> =>
    withTenantsSql(stage.db, [tenantId], async (sql) => {
      await sql`
        insert into channels (tenant_id, id, key, name, kind, config, failures, created_by, updated_by)
        values (${tenantId}, ${newId()}, 'bad', 'Bad', 'webhook', '{}', ${FAILING_AFTER}, 'me', 'me')`;
      await sql`
        insert into deliveries (tenant_id, id, channel_key, channel_kind, kind, status, reason, expires_at, finished_at)
        values (${tenantId}, ${newId()}, 'bad', 'webhook', 'fired', 'dead', 'http_404', tocsin_now(), tocsin_now())`;
    });
  const recorded = (name: string) =>
    store.recent(PLATFORM_TENANT_ID, { name, fromMs: Date.now() - 60_000, toMs: Date.now() + 60_000, limit: 10 });

  test('is measured into its own tenant, which is left out of what is measured; without that tenant nothing is', async () => {
    const { tenantId } = await makeTenant(stage.db);
    await trouble(tenantId);
    await measurePlatform(stage.deps);
    expect(await recorded('tocsin.platform')).toEqual([]);

    await withTenant(stage.db, PLATFORM_TENANT_ID, (tx) =>
      insertTenant(tx, { tenantId: PLATFORM_TENANT_ID, name: 'Platform', externalKey: PLATFORM_KEY }),
    );
    await trouble(PLATFORM_TENANT_ID);
    await measurePlatform(stage.deps);
    const [event] = await recorded('tocsin.platform');
    expect(event?.measures).toMatchObject({ channels_failing: 1, dead_5m: 1, evaluation_lag_ms: 0, outbox_lag_ms: 0 });
    const queues = await recorded('tocsin.queue');
    expect(queues.map(({ dims }) => dims['queue']).toSorted()).toEqual(['deliveries', 'evaluations', 'maintenance', 'notifications']);
  });
});
