import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';

const HOUR = 3_600_000;

describeQueues('a message that is dead', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, fire, hint, only, key } = scene;

  /** Only what this test makes: what is told instead goes to any channel that works. */
  const alone = (): Promise<unknown> => scene.world().inTenant((sql) => sql`update channels set enabled = false`);
  const instead = (alertId: string): Promise<{ channelKey: string; status: string; triggerId: string | null }[]> =>
    scene.world().inTenant(
      (sql) => sql<{ channelKey: string; status: string; triggerId: string | null }[]>`
        select channel_key as "channelKey", status, trigger_id as "triggerId" from deliveries where alert_id = ${alertId} and kind = 'undelivered'`,
    );
  const notices = (channelKey: string): Promise<{ title: string; body: Record<string, unknown> }[]> =>
    scene
      .world()
      .inTenant(
        (sql) =>
          sql<{ title: string; body: Record<string, unknown> }[]>`select title, body from inbox where body ->> 'channel' = ${channelKey}`,
      );

  test('is told of in the inbox and, with its alert, through another channel that works; once an hour', async () => {
    await alone();
    const broken = await webhookReceiver();
    broken.respondWith(() => ({ status: 404 }));
    try {
      const [bad, good] = [key('bad'), await hook()];
      await scene.world().channel(bad, 'webhook', { url: broken.url });
      const first = await fire([bad]);
      await only(first.alertId, ({ status }) => status === 'dead');
      await vi.waitFor(
        async () => expect(await instead(first.alertId)).toEqual([{ channelKey: good, status: 'delivered', triggerId: null }]),
        10_000,
      );
      expect(JSON.parse(scene.receiver().requests[0]?.body ?? '')).toMatchObject({
        type: 'alert.undelivered',
        data: { alert: { id: first.alertId }, undelivered: { channel: bad, reason: 'http_404' } },
      });
      expect(await notices(bad)).toMatchObject([{ body: { kind: 'delivery_dead', reason: 'http_404', alertId: first.alertId } }]);

      const second = await fire([bad]);
      await only(second.alertId, ({ status }) => status === 'dead');
      expect(await instead(second.alertId)).toEqual([]);
      scene.world().db.clock.shiftMs += HOUR;
      const third = await fire([bad]);
      await only(third.alertId, ({ status }) => status === 'dead');
      await vi.waitFor(async () => expect(await instead(third.alertId)).toMatchObject([{ status: 'delivered' }]), 45_000);
      expect(await notices(bad)).toHaveLength(2);
    } finally {
      await broken.close();
    }
  });

  test('who was told instead is told of the end, too', async () => {
    await alone();
    const broken = await webhookReceiver();
    broken.respondWith(() => ({ status: 404 }));
    try {
      const bad = key('bad');
      await scene.world().channel(bad, 'webhook', { url: broken.url });
      const good = await hook();
      const { ruleId, alertId } = await fire([bad]);
      await vi.waitFor(async () => expect(await instead(alertId)).toMatchObject([{ status: 'delivered' }]), 45_000);
      await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
      const rows = await scene.settled(
        alertId,
        (found) => found.length === 3 && found.every(({ status }) => status !== 'pending' && status !== 'sending'),
      );
      expect(rows.filter(({ kind }) => kind === 'resolved').map(({ channelKey, status }) => [channelKey, status])).toContainEqual([
        good,
        'delivered',
      ]);
    } finally {
      await broken.close();
    }
  });

  test('begets no other when what is told instead is dead in turn', async () => {
    await alone();
    scene.receiver().respondWith(() => ({ status: 404 }));
    const [one, other] = [await hook(), await hook()];
    const { alertId } = await fire([one]);
    await vi.waitFor(async () => expect(await instead(alertId)).toMatchObject([{ channelKey: other, status: 'dead' }]), 45_000);
    expect(await notices(other)).toEqual([]);
    expect(scene.receiver().requests).toHaveLength(2);
  });

  test('is in the inbox alone where there is no other channel, and nowhere when people switched its channel off', async () => {
    await alone();
    scene.receiver().respondWith(() => ({ status: 404 }));
    const only1 = await hook();
    const { alertId } = await fire([only1]);
    await only(alertId, ({ status }) => status === 'dead');
    expect(await instead(alertId)).toEqual([]);
    expect(await notices(only1)).toHaveLength(1);

    await alone();
    scene.receiver().respondWith(() => ({ status: 500 }));
    const off = await hook();
    const next = await fire([off]);
    const retrying = await only(next.alertId, ({ status }) => status === 'retrying');
    await alone();
    await scene.passTo(retrying);
    expect(await only(next.alertId, ({ status }) => status === 'dead')).toMatchObject({ reason: 'channel_disabled' });
    expect(await notices(off)).toEqual([]);
  });
});
