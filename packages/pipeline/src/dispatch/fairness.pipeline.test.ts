import { newId } from '@tocsin/db';
import { deliver, dispatchTrigger } from '@tocsin/queue';
import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';

/** More than a dispatcher takes from its queue at a time. */
const HANGING_CHANNELS = 5;
const MESSAGES_EACH = 20;

/** More than one tenant may send at a time, on more channels than that takes. */
const HANGING_ALERTS = 40;

describeQueues('receivers that hang', (backend) => {
  const scene = deliveryScene(backend);

  /** A message that waits in the queue of deliveries, as a retry does. */
  const waiting = async (channelId: string, channelKey: string): Promise<{ tenantId: string; deliveryId: string }> => {
    const { tenantId, inTenant } = scene.world();
    const deliveryId = newId();
    await inTenant(
      (sql) => sql`
        insert into deliveries (tenant_id, id, channel_id, channel_key, channel_kind, kind, expires_at)
        values (${tenantId}, ${deliveryId}, ${channelId}, ${channelKey}, 'webhook', 'test', tocsin_now() + interval '1 day')`,
    );
    return { tenantId, deliveryId };
  };

  test('hold up their own messages and nobody else’s, also those that come by the queue', async () => {
    const world = scene.world();
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    scene.receiver().respondWith(async ({ path }) => {
      if (path === '/hang') await held;
      return { status: 200 };
    });
    const refs: { tenantId: string; deliveryId: string }[] = [];
    for (let index = 0; index < HANGING_CHANNELS; index += 1) {
      const key = scene.key('hanging');
      const id = await world.channel(key, 'webhook', { url: `${scene.receiver().url}/hang` });
      for (let message = 0; message < MESSAGES_EACH; message += 1) refs.push(await waiting(id, key));
    }
    const key = scene.key('healthy');
    const healthy = await waiting(await world.channel(key, 'webhook', { url: `${scene.receiver().url}/in` }), key);
    try {
      const producer = world.deps.queues.producer(deliver);
      await producer.send(refs);
      await vi.waitFor(() => expect(scene.receiver().requests.length).toBeGreaterThanOrEqual(60), 45_000);
      await producer.send(healthy);
      await vi.waitFor(() => expect(scene.receiver().requests.some(({ path }) => path === '/in')).toBe(true), { timeout: 45_000 });
    } finally {
      letGo();
    }
    await vi.waitFor(
      async () => expect((await world.deliveries(null)).filter(({ status }) => status === 'delivered')).toHaveLength(refs.length + 1),
      { timeout: 45_000, interval: 100 },
    );
    const ids = scene.receiver().requests.map(({ headers }) => headers['webhook-id']);
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('of one tenant delay no message of another', async () => {
    const world = scene.world();
    let letGo = (): void => undefined;
    const held = new Promise<void>((resolve) => {
      letGo = resolve;
    });
    scene.receiver().respondWith(() => held.then(() => ({ status: 200 })));
    const neighbour = await world.neighbour();
    const quick = await webhookReceiver();
    try {
      const keys = await Promise.all(Array.from({ length: 9 }, () => scene.hook()));
      // of rules of their own: what is of one rule is told together
      for (let alert = 0; alert < HANGING_ALERTS; alert += 1) await scene.fire(keys);
      // 16 a channel, 128 a tenant: all it may have
      await vi.waitFor(() => expect(scene.receiver().requests).toHaveLength(128), 45_000);

      await neighbour.channel('quick', 'webhook', { url: quick.url });
      const told = Array.from({ length: 20 }, async () => {
        const theirs = await neighbour.rule(['quick']);
        const alertId = await neighbour.alert(theirs);
        await world.deps.queues.producer(dispatchTrigger).send(await neighbour.trigger(theirs, alertId, 'fired'));
      });
      await Promise.all(told);
      await vi.waitFor(() => expect(quick.requests).toHaveLength(20), { timeout: 45_000, interval: 10 });
      expect(scene.receiver().requests).toHaveLength(128);
    } finally {
      letGo();
      await quick.close();
    }
    await vi.waitFor(() => expect(scene.receiver().requests).toHaveLength(9 * HANGING_ALERTS), { timeout: 45_000, interval: 50 });
  });
});
