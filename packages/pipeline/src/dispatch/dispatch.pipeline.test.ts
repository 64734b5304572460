import type { DeliveryRef, TriggerRef } from '@tocsin/db';
import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import type { DeliveryRow } from '../../test/delivery-world.ts';
import { fireTimers } from './fire-timers.ts';
import { openLanes } from '../deliver/lanes.ts';
import { planTriggers } from './plan-triggers.ts';

describeQueues('dispatching', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, hint, poke, settled } = scene;

  const told = (rows: DeliveryRow[]): string[] =>
    rows.map(({ kind, status, reason }) => `${kind} ${status}${reason === null ? '' : `(${reason})`}`);
  const types = (): string[] => scene.receiver().requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  /** Plans without sending; answers what is to be sent. */
  const plan = async (trigger: TriggerRef): Promise<DeliveryRef[]> => {
    const lanes = openLanes({ total: 0, perTenant: 0, perChannel: 0, inLine: 0 }, Date.now);
    return (await planTriggers({ ...scene.world().deps, lanes, giveUp: new AbortController().signal }, [trigger])).toSend;
  };
  const triggerOf = async ({ triggerId }: { triggerId: string }): Promise<{ status: string; reason: string | null }> => {
    const [row] = await scene
      .world()
      .inTenant((sql) => sql<{ status: string; reason: string | null }[]>`select status, reason from triggers where id = ${triggerId}`);
    if (row === undefined) throw new Error('no such trigger');
    return row;
  };

  test('every channel of the rule has a row: sent, or why not', async () => {
    const [good, off] = [await hook(), await hook()];
    await scene.world().inTenant((sql) => sql`update channels set enabled = false where key = ${off}`);
    const picky = await hook();
    const ruleId = await scene.world().rule([good, off, [picky, 'critical'], 'no-such-channel']);
    const alertId = await scene.world().alert(ruleId);
    const trigger = await scene.world().trigger(ruleId, alertId, 'fired', 'warning');
    await hint(trigger);
    const rows = await settled(alertId, (found) => found.some(({ status }) => status === 'delivered'));
    expect(Object.fromEntries(rows.map(({ channelKey, status, reason }) => [channelKey, reason ?? status]))).toEqual({
      [good]: 'delivered',
      [off]: 'channel_disabled',
      [picky]: 'below_min_severity',
      'no-such-channel': 'channel_missing',
    });
    expect(await triggerOf(trigger)).toEqual({ status: 'planned', reason: null });
    expect(scene.receiver().requests).toHaveLength(1);
  });

  test.each([
    { notify: [], reason: 'no_channels' },
    { notify: ['no-such-channel'], reason: 'channel_missing' },
  ])('a trigger nobody hears of is suppressed($reason), and its timeline says so', async ({ notify, reason }) => {
    const ruleId = await scene.world().rule(notify);
    const alertId = await scene.world().alert(ruleId);
    const trigger = await scene.world().trigger(ruleId, alertId, 'fired');
    expect(await plan(trigger)).toEqual([]);
    expect(await triggerOf(trigger)).toEqual({ status: 'suppressed', reason });
    expect(await scene.world().timeline(alertId)).toMatchObject([{ kind: 'delivery_suppressed', reason }]);
  });

  test('a trigger whose rule is gone is suppressed(rule_deleted)', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    const trigger = await scene.world().trigger(ruleId, alertId, 'fired');
    await scene.world().inTenant((sql) => sql`delete from rules where id = ${ruleId}`);
    expect(await plan(trigger)).toEqual([]);
    expect(await triggerOf(trigger)).toEqual({ status: 'suppressed', reason: 'rule_deleted' });
  });

  test('that somebody has it is told to those who heard of it and want to know, and to nobody else', async () => {
    const { world } = scene;
    const slack = scene.key('slack');
    await world().channel(slack, 'slack', { webhookUrl: `${scene.receiver().url}/slack` });
    const late = scene.key('late');
    const ruleId = await world().rule([await hook(), slack]);
    const alertId = await world().alert(ruleId);
    await hint(await world().trigger(ruleId, alertId, 'fired'));
    await settled(alertId, (found) => found.filter(({ status }) => status === 'delivered').length === 2);
    await world().channel(late, 'slack', { webhookUrl: `${scene.receiver().url}/late` });
    const trigger = await world().trigger(ruleId, alertId, 'acknowledged');
    await hint(trigger);
    const rows = await settled(alertId, (found) => found.some(({ kind, status }) => kind === 'acknowledged' && status === 'delivered'));
    expect(rows.filter(({ kind }) => kind === 'acknowledged').map(({ channelKey }) => channelKey)).toEqual([slack]);
    const messages = scene.receiver().requests.filter(({ path }) => path === '/slack');
    expect(messages.at(-1)?.body).toContain('Acknowledged · Checkout latency');
    expect(await triggerOf(trigger)).toEqual({ status: 'planned', reason: null });
  });

  test('an acknowledgement that no channel wants to hear of is on record as such, and not on the timeline', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await settled(alertId, ([row]) => row?.status === 'delivered');
    const before = await scene.world().timeline(alertId);
    const trigger = await scene.world().trigger(ruleId, alertId, 'acknowledged');
    expect(await plan(trigger)).toEqual([]);
    expect(await triggerOf(trigger)).toEqual({ status: 'suppressed', reason: 'nobody_asked' });
    expect(await scene.world().timeline(alertId)).toEqual(before);
    expect(await scene.world().deliveries(alertId)).toHaveLength(1);
  });

  test('a trigger that cannot be planned is told of at once, holds up no other, and ends as such when it is a day old', async () => {
    const [broken, healthy] = [await scene.world().rule([]), await scene.world().rule([await hook()])];
    await scene.world().inTenant((sql) => sql`update rules set spec = jsonb_set(spec, '{notify}', '"nonsense"') where id = ${broken}`);
    const [brokenAlert, healthyAlert] = [await scene.world().alert(broken), await scene.world().alert(healthy)];
    const poison = await scene.world().trigger(broken, brokenAlert, 'fired');
    const fine = await scene.world().trigger(healthy, healthyAlert, 'fired');
    await Promise.all([hint(poison), hint(fine)]);
    await settled(healthyAlert, ([row]) => row?.status === 'delivered');
    const notices = (): Promise<object[]> =>
      scene.world().inTenant((sql) => sql<object[]>`select body from inbox where body ->> 'triggerId' = ${poison.triggerId}`);
    await vi.waitFor(async () => expect(await notices()).toMatchObject([{ body: { kind: 'trigger_unplannable', alertId: brokenAlert } }]));
    expect(await triggerOf(poison)).toEqual({ status: 'pending', reason: null });

    scene.world().db.clock.shiftMs = 24 * 3_600_000;
    await hint(poison);
    await vi.waitFor(async () => expect(await triggerOf(poison)).toEqual({ status: 'suppressed', reason: 'unplannable' }), 45_000);
    expect(await scene.world().timeline(brokenAlert)).toMatchObject([{ kind: 'delivery_suppressed', reason: 'unplannable' }]);
    expect(await notices()).toHaveLength(1);
  });

  test('planned ten times at once, a trigger has one delivery a channel', async () => {
    const ruleId = await scene.world().rule([await hook(), await hook()]);
    const alertId = await scene.world().alert(ruleId);
    const trigger = await scene.world().trigger(ruleId, alertId, 'fired');
    const planned = await Promise.all(Array.from({ length: 10 }, () => plan(trigger)));
    expect(planned.flat()).toHaveLength(2);
    expect(await scene.world().deliveries(alertId)).toHaveLength(2);
  });

  test('the end is told after the beginning, to whom the beginning was told, whatever the rule says by then', async () => {
    const [first, late] = [await hook(), await hook()];
    const ruleId = await scene.world().rule([first]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await settled(alertId, ([row]) => row?.status === 'delivered');
    await scene
      .world()
      .inTenant(
        (sql) =>
          sql`update rules set spec = jsonb_set(spec, '{notify}', ${JSON.stringify([{ channel: late, minSeverity: 'info' }])}::text::jsonb) where id = ${ruleId}`,
      );
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    const rows = await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'delivered'));
    expect(rows.every(({ channelKey }) => channelKey === first)).toBe(true);
    expect(types()).toEqual(['alert.fired', 'alert.resolved']);
  });

  test('hinted before the beginning, the end still comes after it', async () => {
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    await scene.world().trigger(ruleId, alertId, 'fired');
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'delivered'));
    expect(types()).toEqual(['alert.fired', 'alert.resolved']);
  });

  test('the end waits while the beginning is still being tried, and goes the moment that has arrived', async () => {
    scene.receiver().respondWith((_request, index) => ({ status: index === 0 ? 500 : 200 }));
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    const [fired] = await settled(alertId, ([row]) => row?.status === 'retrying');
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    const [, waiting] = await settled(alertId, (found) => found.length === 2);
    await poke(waiting?.id ?? '');
    await vi.waitFor(async () => expect((await scene.world().deliveries(alertId))[1]?.nextInMs).toBeGreaterThan(1_000), {
      timeout: 45_000,
    });
    expect(told(await scene.world().deliveries(alertId))).toEqual(['fired retrying(http_500)', 'resolved pending']);

    scene.world().db.clock.shiftMs += Math.ceil(fired?.nextInMs ?? 0) + 1;
    await poke(fired?.id ?? '');
    // well before its own next look, which is seconds away
    await settled(alertId, (found) => found.every(({ status }) => status === 'delivered'), 3_000);
    expect(types()).toEqual(['alert.fired', 'alert.fired', 'alert.resolved']);
  });

  test('it does not wait for what another channel is still being told', async () => {
    const stuck = await webhookReceiver();
    stuck.respondWith(() => ({ status: 500 }));
    try {
      const [bad, good] = [`bad-${await hook()}`, await hook()];
      await scene.world().channel(bad, 'webhook', { url: stuck.url });
      const ruleId = await scene.world().rule([bad, good]);
      const alertId = await scene.world().alert(ruleId);
      await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
      await settled(alertId, (found) => found.map(({ status }) => status).join() === 'retrying,delivered');
      await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
      const rows = await settled(alertId, (found) => found.length === 4 && found[3]?.status === 'delivered', 3_000);
      expect(told(rows)).toEqual(['fired retrying(http_500)', 'fired delivered', 'resolved pending', 'resolved delivered']);
    } finally {
      await stuck.close();
    }
  });

  test('who was never told of the beginning is not told of the end', async () => {
    const ruleId = await scene.world().rule([[await hook(), 'critical']]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired', 'warning'));
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved', 'warning'));
    const rows = await settled(alertId, (found) => found.length === 2);
    expect(told(rows).sort()).toEqual(['fired suppressed(below_min_severity)', 'resolved suppressed(never_told)']);
    expect(scene.receiver().requests).toHaveLength(0);
  });

  test('nor is it told when the beginning expired before its first attempt', async () => {
    const key = await hook();
    const ruleId = await scene.world().rule([key]);
    const alertId = await scene.world().alert(ruleId);
    const [fired] = await plan(await scene.world().trigger(ruleId, alertId, 'fired'));
    const [resolved] = await plan(await scene.world().trigger(ruleId, alertId, 'resolved'));
    if (fired === undefined || resolved === undefined) throw new Error('not planned');
    await scene.world().inTenant((sql) => sql`update deliveries set expires_at = tocsin_now() where id = ${fired.deliveryId}`);
    await poke(resolved.deliveryId);
    await vi.waitFor(async () => expect((await scene.world().deliveries(alertId)).some(({ nextInMs }) => nextInMs > 1_000)).toBe(true), {
      timeout: 45_000,
    });
    await poke(fired.deliveryId);
    expect(told(await settled(alertId, (found) => found.every(({ reason }) => reason !== null))).sort()).toEqual([
      'fired dead(expired)',
      'resolved suppressed(never_told)',
    ]);
    expect(scene.receiver().requests).toHaveLength(0);
  });

  test('a beginning that was tried in vain may have arrived, so its end is told', async () => {
    // no other channel works, through which it would be told instead
    await scene.world().inTenant((sql) => sql`update channels set enabled = false`);
    scene.receiver().respondWith((_request, index) => ({ status: index === 0 ? 404 : 200 }));
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await settled(alertId, ([row]) => row?.status === 'dead');
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    expect(told(await settled(alertId, (found) => found[1]?.status === 'delivered'))).toEqual([
      'fired dead(http_404)',
      'resolved delivered',
    ]);
  });

  test('a channel that has been renamed meanwhile hears the end', async () => {
    const key = await hook();
    const ruleId = await scene.world().rule([key]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await settled(alertId, ([row]) => row?.status === 'delivered');
    await scene.world().inTenant((sql) => sql`update channels set key = ${`${key}-new`} where key = ${key}`);
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    const rows = await settled(alertId, (found) => found[1]?.status === 'delivered');
    expect(rows.map(({ channelKey }) => channelKey)).toEqual([key, `${key}-new`]);
  });

  test('a channel that has been deleted meanwhile does not, and its row says why', async () => {
    const key = await hook();
    const ruleId = await scene.world().rule([key]);
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await settled(alertId, ([row]) => row?.status === 'delivered');
    await scene.world().inTenant((sql) => sql`delete from channels where key = ${key}`);
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    expect(told(await settled(alertId, (found) => found.length === 2))).toEqual([
      'fired delivered',
      'resolved suppressed(channel_missing)',
    ]);
  });

  const timer = async (alertId: string): Promise<{ tenantId: string; id: string }> => {
    const [row] = await scene.world().inTenant(
      (sql) => sql<{ id: string }[]>`
        insert into alert_timers (tenant_id, id, alert_id, kind, due_at) values (${scene.world().tenantId}, gen_random_uuid(), ${alertId}, 'reminder', tocsin_now() + interval '4 hours')
        returning id`,
    );
    return { tenantId: scene.world().tenantId, id: row?.id ?? '' };
  };
  const dueIn = async (id: string): Promise<number | null> => {
    const [row] = await scene
      .world()
      .inTenant(
        (sql) =>
          sql<{ ms: number }[]>`select (extract(epoch from due_at - tocsin_now()) * 1000)::float8 as ms from alert_timers where id = ${id}`,
      );
    return row?.ms ?? null;
  };

  test('an open alert is told again when its reminder falls due, and the next one is set; missed ones are one', async () => {
    const ruleId = await scene.world().rule([await hook()], { remindEvery: '4h' });
    const alertId = await scene.world().alert(ruleId);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    const due = await timer(alertId);
    await fireTimers(scene.world().deps, [due]);
    scene.world().db.clock.shiftMs = 9 * 3_600_000;
    await Promise.all([fireTimers(scene.world().deps, [due]), fireTimers(scene.world().deps, [due])]);
    await fireTimers(scene.world().deps, [due]);
    const rows = await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'delivered'));
    expect(told(rows)).toEqual(['fired delivered', 'reminded delivered']);
    expect(types()).toEqual(['alert.fired', 'alert.reminded']);
    const nextMs = await dueIn(due.id);
    expect(nextMs).toBeGreaterThan(2.9 * 3_600_000);
    expect(nextMs).toBeLessThanOrEqual(3 * 3_600_000);
  });

  test('a reminder is not put off by messages that are being written of the same alert', async () => {
    const ruleId = await scene.world().rule([await hook()], { remindEvery: '4h' });
    const alertId = await scene.world().alert(ruleId);
    await plan(await scene.world().trigger(ruleId, alertId, 'fired'));
    const due = await timer(alertId);
    scene.world().db.clock.shiftMs = 5 * 3_600_000;
    await scene.world().inTenant(async (sql) => {
      await sql`select from alerts where id = ${alertId} for key share`;
      await fireTimers(scene.world().deps, [due]);
    });
    expect(await dueIn(due.id)).toBeGreaterThan(0);
  });

  test.each(['acknowledged', 'resolved'])('nobody is reminded of an alert that is %s', async (status) => {
    const ruleId = await scene.world().rule([await hook()], { remindEvery: '4h' });
    const alertId = await scene.world().alert(ruleId);
    await plan(await scene.world().trigger(ruleId, alertId, 'fired'));
    const due = await timer(alertId);
    await scene.world().inTenant((sql) => sql`update alerts set status = ${status} where id = ${alertId}`);
    scene.world().db.clock.shiftMs = 5 * 3_600_000;
    await fireTimers(scene.world().deps, [due]);
    expect(await dueIn(due.id)).toBeNull();
    expect((await scene.world().deliveries(alertId)).map(({ kind }) => kind)).toEqual(['fired']);
  });
});
