import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import { tellingIn } from '../../test/telling.ts';

const SECOND = 1_000;

describeQueues('messages that are told together', (backend) => {
  const scene = deliveryScene(backend);
  const { hook } = scene;
  const { bodies, fire, stateOf, told, pass } = tellingIn(scene);

  test('the first alert of a rule goes at once, what follows within 30 s is one message with the worst of them, and nothing is lost', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    const first = await fire(ruleId);
    await told('alert.fired 1');
    const followers = [await fire(ruleId), await fire(ruleId), await fire(ruleId)];
    expect(await Promise.all(followers.map((id) => stateOf(id)))).toEqual(['pending', 'pending', 'pending']);

    await pass(40 * SECOND);
    await told('alert.fired 1', 'alert.fired 3');
    const group = bodies().find(({ data }) => data.group !== undefined)!.data.group!;
    expect(group).toMatchObject({ reason: 'group', count: 3, resolved: 0, rules: 1 });
    expect(group.alertIds.toSorted()).toEqual(followers.toSorted());
    expect(group.worst[0]!.url).toContain('https://tocsin.example/alerts/');
    await vi.waitFor(
      async () =>
        expect((await Promise.all(followers.map((id) => stateOf(id)))).toSorted()).toEqual([
          'delivered',
          'suppressed(folded)',
          'suppressed(folded)',
        ]),
      60_000,
    );
    expect(await stateOf(first)).toBe('delivered');

    // The next one begins anew.
    await fire(ruleId);
    await told('alert.fired 1', 'alert.fired 3', 'alert.fired 1');
  });

  test('one that follows alone is a message like any other', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    await fire(ruleId);
    await fire(ruleId);
    await pass(40 * SECOND);
    await told('alert.fired 1', 'alert.fired 1');
  });

  test('critical alerts wait behind no milder ones, other rules and other channels behind nobody', async () => {
    const [one, other] = [await hook(), await hook()];
    const [ruleId, otherRule] = [await scene.world().rule([one, other]), await scene.world().rule([one])];
    await fire(ruleId);
    await fire(ruleId, 'fired', 'critical');
    await fire(otherRule);
    await told('alert.fired 1', 'alert.fired 1', 'alert.fired 1', 'alert.fired 1', 'alert.fired 1');
  });

  test('who was told of an alert together with others hears of its end, and ends are told together too', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    const alerts = [await fire(ruleId), await fire(ruleId), await fire(ruleId), await fire(ruleId)];
    await pass(40 * SECOND);
    await told('alert.fired 1', 'alert.fired 3');
    await vi.waitFor(async () => expect(await Promise.all(alerts.map((id) => stateOf(id)))).not.toContain('sending'), 60_000);
    for (const alertId of alerts) await fire(ruleId, 'resolved', 'warning', alertId);
    await told('alert.fired 1', 'alert.fired 3', 'alert.resolved 1');
    await pass(40 * SECOND);
    await told('alert.fired 1', 'alert.fired 3', 'alert.resolved 1', 'alert.resolved 3');
    expect(bodies().at(-1)!.data.group).toMatchObject({ count: 3, resolved: 3 });
  });

  test('an alert that is over before its message was due is told once, with both', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    await fire(ruleId);
    const short = await fire(ruleId);
    const long = await fire(ruleId);
    await fire(ruleId, 'resolved', 'warning', short);
    await pass(40 * SECOND);
    await told('alert.fired 1', 'alert.fired 1', 'alert.resolved 1');
    await vi.waitFor(async () => expect(await stateOf(short, 'resolved')).toBe('delivered'), 60_000);
    expect([await stateOf(short), await stateOf(long)]).toEqual(['suppressed(folded)', 'delivered']);
    const end = bodies().find(({ type }) => type === 'alert.resolved')!.data;
    expect(end.alert.folded).toMatch(/^It fired at /);
    expect(end.group).toBeUndefined();
  });

  test('alerts that are over before their message was due are told together too', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    await fire(ruleId);
    const short = [await fire(ruleId), await fire(ruleId), await fire(ruleId)];
    for (const alertId of short) await fire(ruleId, 'resolved', 'warning', alertId);
    scene.world().db.clock.shiftMs += 40 * SECOND;
    const [beginning] = await scene.world().deliveries(short[2]!);
    await scene.poke(beginning!.id);
    // the first end of a rule waits for nobody but its beginning
    await told('alert.fired 1', 'alert.resolved 1', 'alert.resolved 2');
    expect(bodies().find(({ data }) => data.group !== undefined)!.data.group).toMatchObject({ count: 2, resolved: 2 });
    expect(await Promise.all(short.map((id) => stateOf(id)))).toEqual(Array(3).fill('suppressed(folded)'));
  });

  test('alerts that are over before their summary was due are in it, as over', async () => {
    const channel = await hook();
    await scene.world().inTenant((sql) => sql`update channels set max_per_minute = 1 where key = ${channel}`);
    const fireAnew = async () => {
      const ruleId = await scene.world().rule([channel]);
      return { ruleId, alertId: await fire(ruleId) };
    };
    await fireAnew();
    const short = [await fireAnew(), await fireAnew(), await fireAnew()];
    for (const { ruleId, alertId } of short) await fire(ruleId, 'resolved', 'warning', alertId);
    await pass(70 * SECOND);
    await told('alert.fired 1', 'alert.resolved 3');
    expect(bodies().at(-1)!.data.group).toMatchObject({ reason: 'storm', count: 3, resolved: 3 });
    await vi.waitFor(async () => {
      const ends = await Promise.all(short.map(({ alertId }) => stateOf(alertId, 'resolved')));
      expect(ends.toSorted()).toEqual(['delivered', 'suppressed(folded)', 'suppressed(folded)']);
    }, 60_000);
    expect(await Promise.all(short.map(({ alertId }) => stateOf(alertId)))).toEqual(Array(3).fill('suppressed(folded)'));
  });

  test('a channel that is not reached has all of a message told through its fallback, which hears of every end', async () => {
    const broken = await webhookReceiver();
    try {
      const [bad, fallback] = [scene.key('bad'), await hook()];
      await scene.world().channel(bad, 'webhook', { url: broken.url });
      await scene.world().inTenant((sql) => sql`update channels set fallback = ${fallback} where key = ${bad}`);
      const ruleId = await scene.world().rule([bad]);
      const first = await fire(ruleId);
      await vi.waitFor(async () => expect(await stateOf(first)).toBe('delivered'), 60_000);
      broken.respondWith(() => ({ status: 404 }));
      const together = [await fire(ruleId), await fire(ruleId), await fire(ruleId)];
      await pass(40 * SECOND);
      await told('alert.undelivered 3');
      const { undelivered, group } = bodies()[0]!.data;
      expect(undelivered).toMatchObject({ channel: bad, reason: 'http_404' });
      expect(group!.alertIds.toSorted()).toEqual(together.toSorted());
      await vi.waitFor(async () => {
        const instead = await scene
          .world()
          .inTenant(
            (sql) =>
              sql<{ status: string }[]>`select status from deliveries where alert_id = any(${together}::uuid[]) and kind = 'undelivered'`,
          );
        expect(instead.map(({ status }) => status).toSorted()).toEqual(['delivered', 'suppressed', 'suppressed']);
      }, 60_000);

      broken.respondWith(() => ({ status: 200 }));
      for (const alertId of together) await fire(ruleId, 'resolved', 'warning', alertId);
      await pass(40 * SECOND);
      await told('alert.undelivered 3', 'alert.resolved 1', 'alert.resolved 2');
    } finally {
      await broken.close();
    }
  });

  test('more in a minute than a channel takes is one summary, twice as much of what is critical', async () => {
    const channel = await hook();
    await scene.world().inTenant((sql) => sql`update channels set max_per_minute = 2 where key = ${channel}`);
    const fireAnew = async (severity: 'warning' | 'critical') => fire(await scene.world().rule([channel]), 'fired', severity);
    await fireAnew('warning');
    await fireAnew('warning');
    const mild = [await fireAnew('warning'), await fireAnew('warning'), await fireAnew('warning')];
    await told('alert.fired 1', 'alert.fired 1');
    expect(await Promise.all(mild.map((id) => stateOf(id)))).toEqual(['pending', 'pending', 'pending']);
    await pass(70 * SECOND);
    await told('alert.fired 1', 'alert.fired 1', 'alert.fired 3');
    expect(bodies().at(-1)!.data.group).toMatchObject({ reason: 'storm', count: 3, rules: 3 });

    await fireAnew('warning');
    await fireAnew('warning');
    await fireAnew('critical');
    await told(...Array.from({ length: 5 }, () => 'alert.fired 1'), 'alert.fired 3');
  });

  test('a channel that asks for every alert by itself is told of each at once, however many there are', async () => {
    const channel = await hook();
    await scene.world().inTenant((sql) => sql`update channels set grouping = false, max_per_minute = 1 where key = ${channel}`);
    const ruleId = await scene.world().rule([channel]);
    for (let alert = 0; alert < 3; alert += 1) await fire(ruleId);
    await told('alert.fired 1', 'alert.fired 1', 'alert.fired 1');
  });

  test('a receiver that keeps alerts apart hears of each by itself', async () => {
    const ruleId = await scene.world().rule([]);
    const key = scene.key('pager');
    await scene.world().channel(key, 'pagerduty', { routingKey: 'R0123456789ABCDEF0123456789ABCDE' });
    await scene
      .world()
      .inTenant(
        (sql) =>
          sql`update rules set spec = jsonb_set(spec, '{notify}', ${JSON.stringify([{ channel: key, minSeverity: 'info' }])}::text::jsonb) where id = ${ruleId}`,
      );
    const alerts = [await fire(ruleId), await fire(ruleId)];
    const holds = await scene
      .world()
      .inTenant(
        (sql) => sql<{ held: boolean }[]>`select fold_key is not null as held from deliveries where alert_id = any(${alerts}::uuid[])`,
      );
    expect(holds).toEqual([{ held: false }, { held: false }]);
  });
});
