import { FAILING_AFTER } from '@tocsin/domain';
import { describeQueues, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';

interface Told {
  channelKey: string;
  kind: string;
  insteadOf: string | null;
  status: string;
}

describeQueues('a channel that fails again and again', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, fire, only, key, passTo } = scene;
  let broken: WebhookReceiver;
  let bad: string;

  beforeEach(async () => {
    await scene.world().inTenant((sql) => sql`update channels set enabled = false`);
    await scene.world().inTenant((sql) => sql`delete from inbox`);
    broken = await webhookReceiver();
    broken.respondWith(() => ({ status: 503 }));
    bad = key('bad');
    await scene.world().channel(bad, 'webhook', { url: broken.url });
  });
  afterEach(() => broken.close());

  const told = (alertId: string): Promise<Told[]> =>
    scene.world().inTenant(
      (sql) => sql<Told[]>`
        select channel_key as "channelKey", kind, instead_of as "insteadOf", status from deliveries
        where alert_id = ${alertId} and kind in ('undelivered', 'channel_failing') order by id`,
    );
  const notices = (): Promise<{ title: string; body: Record<string, unknown> }[]> =>
    scene.world().inTenant(
      (sql) => sql<{ title: string; body: Record<string, unknown> }[]>`
        select title, body from inbox where body ->> 'channel' = ${bad} and body ->> 'kind' in ('channel_failing', 'channel_working') order by id`,
    );
  const health = async () => {
    const [row] = await scene.world().inTenant(
      (sql) => sql<{ failures: number; since: number | null; told: number | null; delivered: number | null }[]>`
        select failures, failing_since as since, failing_told_at as told, last_delivered_at as delivered from channels where key = ${bad}`,
    );
    return row!;
  };
  /** Fails an alert's only message so often. */
  const failed = async (alertId: string, attempts: number) => {
    for (let made = 1; made < attempts; made += 1)
      await passTo(await only(alertId, (row) => row.status === 'retrying' && row.attempts === made));
    return only(alertId, (row) => row.status === 'retrying' && row.attempts === attempts);
  };
  const arrived = (alertId: string, expected: Partial<Told>[]): Promise<void> =>
    vi.waitFor(async () => expect(await told(alertId)).toMatchObject(expected), 10_000);

  test('is told of once, at the fifth failure in a row, in the inbox and through another that works; and that it works again', async () => {
    const good = await hook();
    const { alertId } = await fire([bad]);
    const retrying = await failed(alertId, FAILING_AFTER - 1);
    expect(await notices()).toEqual([]);
    expect(await told(alertId)).toEqual([]);
    expect(await health()).toMatchObject({ failures: FAILING_AFTER - 1, told: null, delivered: null });

    await passTo(retrying);
    await arrived(alertId, [{ channelKey: good, kind: 'channel_failing', insteadOf: retrying.id, status: 'delivered' }]);
    expect(JSON.parse(scene.receiver().requests[0]?.body ?? '')).toMatchObject({
      type: 'channel.failing',
      data: { alert: { id: alertId }, failing: { channel: bad, reason: 'http_503', failures: FAILING_AFTER, since: expect.any(String) } },
    });
    const since = (await health()).since;
    await passTo(await only(alertId, (row) => row.status === 'retrying' && row.attempts === FAILING_AFTER));
    const again = await only(alertId, (row) => row.status === 'retrying' && row.attempts === FAILING_AFTER + 1);
    expect(await health()).toMatchObject({ failures: FAILING_AFTER + 1, since, told: expect.any(Number) });
    expect(await told(alertId)).toHaveLength(1);
    expect(await notices()).toMatchObject([{ body: { kind: 'channel_failing', failures: FAILING_AFTER, reason: 'http_503' } }]);

    broken.respondWith(() => ({ status: 200 }));
    await passTo(again);
    await only(alertId, ({ status }) => status === 'delivered');
    expect(await health()).toMatchObject({ failures: 0, since: null, told: null, delivered: expect.any(Number) });
    expect((await notices()).map(({ body }) => body['kind'])).toEqual(['channel_failing', 'channel_working']);
  });

  test('has what waits for it told through its fallback, each message once, and at once', async () => {
    const [fallback, busy] = [await hook(), await hook()];
    await scene.world().inTenant((sql) => sql`update channels set fallback = ${fallback} where key = ${bad}`);
    await scene.world().inTenant((sql) => sql`update channels set last_used_at = tocsin_now() where key = ${busy}`);
    const first = await fire([bad]);
    const row = await failed(first.alertId, FAILING_AFTER);
    await arrived(first.alertId, [{ channelKey: fallback, kind: 'channel_failing', insteadOf: row.id, status: 'delivered' }]);

    const second = await fire([bad]);
    const waiting = await only(second.alertId, ({ status }) => status === 'retrying');
    await arrived(second.alertId, [{ channelKey: fallback, kind: 'undelivered', insteadOf: waiting.id, status: 'delivered' }]);
    await passTo(waiting);
    await only(second.alertId, ({ attempts, status }) => attempts === 2 && status === 'retrying');
    broken.respondWith(() => ({ status: 400 }));
    await passTo(await only(second.alertId, () => true));
    await only(second.alertId, ({ status }) => status === 'dead');
    expect(await told(second.alertId)).toHaveLength(1);
  });

  test('has all that is dead told through the fallback of the tenant, without an hour between', async () => {
    const fallback = await hook();
    const { tenantId } = scene.world();
    await scene.world().inTenant(
      (sql) => sql`
        insert into notification_settings (tenant_id, fallback, updated_by) values (${tenantId}, ${fallback}, 'me')
        on conflict (tenant_id) do update set fallback = excluded.fallback`,
    );
    broken.respondWith(() => ({ status: 404 }));
    for (let alert = 0; alert < 3; alert += 1) {
      const { alertId } = await fire([bad]);
      const dead = await only(alertId, ({ status }) => status === 'dead');
      await arrived(alertId, [{ channelKey: fallback, kind: 'undelivered', insteadOf: dead.id, status: 'delivered' }]);
    }
    await scene.world().inTenant((sql) => sql`update notification_settings set fallback = null`);
  });

  test('is not one whose receiver asks to come later', async () => {
    broken.respondWith(() => ({ status: 429, headers: { 'retry-after': '60' } }));
    const { alertId } = await fire([bad]);
    await failed(alertId, FAILING_AFTER + 1);
    expect(await health()).toMatchObject({ failures: 0, told: null });
    expect(await notices()).toEqual([]);
  });
});
