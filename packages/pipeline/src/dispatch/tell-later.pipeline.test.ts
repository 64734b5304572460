import type { Digest, QuietHours } from '@tocsin/domain';
import { WEEKDAYS } from '@tocsin/domain';
import { dispatchTrigger } from '@tocsin/queue';
import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import { deliveryWorld } from '../../test/delivery-world.ts';
import { tellingIn } from '../../test/telling.ts';
import { openSweep } from '../sweep/sweep.ts';
import { startDispatcher } from './start-dispatcher.ts';

const HOUR = 3_600_000;
const shown = (ms: number): string => new Date(ms).toISOString().slice(11, 16);
/** Quiet hours that began an hour ago and end in three, by a clock that has not been shifted. */
const aroundNow = (nowMs = Date.now()): QuietHours => ({
  timeZone: 'UTC',
  windows: [{ days: WEEKDAYS, from: shown(nowMs - HOUR), to: shown(nowMs + 3 * HOUR) }],
});
const dailyIn = (ms: number): Digest => ({ every: 'daily', at: shown(Date.now() + ms), timeZone: 'UTC' });

describeQueues('what a channel is told of later', (backend) => {
  const scene = deliveryScene(backend);
  const { bodies, fire, stateOf, told, pass } = tellingIn(scene);

  const hook = async (when: { quietHours?: QuietHours; digest?: Digest; below?: string; grouping?: boolean }): Promise<string> => {
    const key = await scene.hook();
    const { quietHours, digest, below, grouping = true } = when;
    const json = (value: unknown) => (value === undefined ? null : JSON.stringify(value));
    await scene.world().inTenant(
      (sql) => sql`
        update channels set quiet_hours = ${json(quietHours)}::text::jsonb, digest = ${json(digest)}::text::jsonb, digest_below = ${below ?? null},
                            grouping = ${grouping}
        where key = ${key}`,
    );
    return key;
  };
  /** What became of all that was to be told of these alerts. */
  const rowsOf = (alertIds: readonly string[]) =>
    scene.world().inTenant(
      (sql) => sql<{ id: string; kind: string; status: string; heldFor: string | null; foldedInto: string | null; isOpenFor: number }[]>`
        select id, kind, status, held_for as "heldFor", folded_into as "foldedInto",
               extract(epoch from expires_at - held_until)::float8 / 3600 as "isOpenFor"
        from deliveries where alert_id = any(${alertIds as string[]}::uuid[]) order by created_at, id`,
    );

  test('quiet hours let critical alerts pass; the rest is one message at their end, and every row says what became of it', async () => {
    const channel = await hook({ quietHours: aroundNow() });
    const [ruleId, otherRule] = [await scene.world().rule([channel]), await scene.world().rule([channel])];
    const burning = [await fire(ruleId), await fire(ruleId, 'fired', 'error'), await fire(otherRule, 'no_data')];
    const short = await fire(ruleId);
    await fire(ruleId, 'resolved', 'warning', short);
    const critical = await fire(ruleId, 'fired', 'critical');
    await told('alert.fired 1');
    expect(bodies()[0]!.data).toMatchObject({ alert: { id: critical } });
    expect(bodies()[0]!.data).not.toHaveProperty('waited');
    expect(await Promise.all([...burning, short].map((id) => stateOf(id)))).toEqual(['pending', 'pending', 'none', 'pending']);

    await pass(2 * HOUR);
    await told('alert.fired 1');
    await pass(HOUR + 60_000);
    await told('alert.fired 1', 'alert.fired 4');
    const { group, waited, alert } = bodies()[1]!.data;
    expect({ waited, group }).toMatchObject({
      waited: 'quiet_hours',
      group: { reason: 'quiet_hours', count: 4, began: 4, resolved: 1, rules: 2 },
    });
    expect(alert.id).toBe(burning[1]);
    expect(group!.worst.at(-1)).toMatchObject({ id: short, status: 'resolved' });
    const rows = await vi.waitFor(async () => {
      const found = await rowsOf([...burning, short]);
      expect(found.filter(({ status }) => status === 'delivered')).toHaveLength(1);
      return found;
    }, 60_000);
    const [leader, end] = [rows.find(({ status }) => status === 'delivered')!, rows.find(({ kind }) => kind === 'resolved')!];
    expect(rows.every(({ heldFor }) => heldFor === 'quiet_hours')).toBe(true);
    // the beginning of what is over is told with its end, all others with the worst
    const others = rows.filter(({ id }) => id !== leader.id).map(({ foldedInto }) => foldedInto);
    expect(others.toSorted()).toEqual([leader.id, leader.id, leader.id, end.id].toSorted());
    // whoever heard of an alert in it hears of its end, at once by now
    await fire(ruleId, 'resolved', 'warning', burning[0]);
    await told('alert.fired 1', 'alert.fired 4', 'alert.resolved 1');
  });

  test('a rise to critical is told at once, with what waited of its alert; nothing is left to be told at the end', async () => {
    const ruleId = await scene.world().rule([await hook({ quietHours: aroundNow() })]);
    const alertId = await fire(ruleId);
    await fire(ruleId, 'escalated', 'critical', alertId);
    await told('alert.escalated 1');
    const [began, rose] = await rowsOf([alertId]);
    expect(began).toMatchObject({ status: 'suppressed', heldFor: 'quiet_hours', foldedInto: rose!.id });
    await fire(ruleId, 'resolved', 'critical', alertId);
    await told('alert.escalated 1', 'alert.resolved 1');
    await pass(4 * HOUR);
    await fire(ruleId);
    await told('alert.escalated 1', 'alert.resolved 1', 'alert.fired 1');
  });

  test('an alert that is over in the quiet hours is told once, with both, and one that was told before is told to be over', async () => {
    const channel = await hook({});
    const ruleId = await scene.world().rule([channel]);
    const before = await fire(ruleId);
    await told('alert.fired 1');
    await vi.waitFor(async () => expect(await stateOf(before)).toBe('delivered'), 60_000);
    await scene
      .world()
      .inTenant((sql) => sql`update channels set quiet_hours = ${JSON.stringify(aroundNow())}::text::jsonb where key = ${channel}`);
    await fire(ruleId, 'resolved', 'warning', before);
    await pass(3 * HOUR + 60_000);
    await told('alert.fired 1', 'alert.resolved 1');
    expect(bodies()[1]!.data).toMatchObject({ waited: 'quiet_hours' });
    expect(bodies()[1]!.data.alert).not.toHaveProperty('folded');

    scene.world().db.clock.shiftMs = 0;
    const short = await fire(ruleId);
    await fire(ruleId, 'resolved', 'warning', short);
    await pass(3 * HOUR + 60_000);
    await told('alert.fired 1', 'alert.resolved 1', 'alert.resolved 1');
    expect(bodies()[2]!.data.alert.folded).toMatch(/^It fired at /);
  });

  test('an end waits for the quiet hours even when its beginning, which was being tried, arrives in them', async () => {
    const channel = await hook({});
    const ruleId = await scene.world().rule([channel]);
    scene.receiver().respondWith(() => ({ status: 503 }));
    const alertId = await fire(ruleId);
    const row = await scene.only(alertId, ({ status }) => status === 'retrying');
    await scene
      .world()
      .inTenant((sql) => sql`update channels set quiet_hours = ${JSON.stringify(aroundNow())}::text::jsonb where key = ${channel}`);
    await fire(ruleId, 'resolved', 'warning', alertId);
    scene.receiver().respondWith(() => ({ status: 200 }));
    await scene.passTo(row);
    await vi.waitFor(async () => expect(await stateOf(alertId)).toBe('delivered'), 60_000);
    const [end] = (await scene.world().deliveries(alertId)).filter(({ kind }) => kind === 'resolved');
    expect(end).toMatchObject({ status: 'pending' });
    expect(end!.nextInMs).toBeGreaterThan(2 * HOUR);
    await pass(4 * HOUR);
    await vi.waitFor(async () => expect(await stateOf(alertId, 'resolved')).toBe('delivered'), 60_000);
  });

  test('a channel that is told of each alert by itself is told so at the end', async () => {
    const ruleId = await scene.world().rule([await hook({ quietHours: aroundNow(), grouping: false })]);
    await fire(ruleId);
    await fire(ruleId);
    const short = await fire(ruleId);
    await fire(ruleId, 'resolved', 'warning', short);
    await pass(3 * HOUR + 60_000);
    await told('alert.fired 1', 'alert.fired 1', 'alert.resolved 1');
    expect(bodies().find(({ type }) => type === 'alert.resolved')!.data.alert.folded).toMatch(/^It fired at /);
  });

  test('a digest collects what is milder and tells it once, as long as there is something; the rest goes at once', async () => {
    const channel = await hook({ digest: dailyIn(2 * HOUR), below: 'error' });
    const ruleId = await scene.world().rule([channel]);
    await fire(ruleId, 'fired', 'error');
    await told('alert.fired 1');
    const collected = [await fire(ruleId), await fire(ruleId, 'fired', 'info')];
    await fire(ruleId, 'resolved', 'info', collected[1]);
    await pass(2 * HOUR + 60_000);
    await told('alert.fired 1', 'alert.fired 2');
    expect(bodies()[1]!.data).toMatchObject({ waited: 'digest', group: { reason: 'digest', count: 2, began: 2, resolved: 1 } });

    // the next one is empty, and is not sent; in the one after that there is one alert, which is told as such
    await pass(24 * HOUR);
    await fire(ruleId);
    await pass(24 * HOUR);
    await told('alert.fired 1', 'alert.fired 2', 'alert.fired 1');
    expect(bodies()[2]!.data.waited).toBe('digest');
  });

  test('what waits for a week is tried for a day when it is due', async () => {
    const digest: Digest = {
      every: 'weekly',
      day: WEEKDAYS[new Date(Date.now() - 2 * HOUR).getUTCDay()]!,
      at: shown(Date.now() - 2 * HOUR),
      timeZone: 'UTC',
    };
    const ruleId = await scene.world().rule([await hook({ digest, below: 'critical' })]);
    const alertId = await fire(ruleId);
    const [row] = await rowsOf([alertId]);
    expect(row).toMatchObject({ status: 'pending', heldFor: 'digest' });
    expect(row!.isOpenFor).toBeCloseTo(24, 1);
    await pass(7 * 24 * HOUR);
    await told('alert.fired 1');
  });

  test('what rises out of a digest in quiet hours is told at their end with what waited for the digest', async () => {
    const ruleId = await scene.world().rule([await hook({ quietHours: aroundNow(), digest: dailyIn(8 * HOUR), below: 'error' })]);
    const alertId = await fire(ruleId);
    await fire(ruleId, 'escalated', 'error', alertId);
    await pass(3 * HOUR + 60_000);
    await told('alert.escalated 1');
    await vi.waitFor(async () => expect(await stateOf(alertId, 'escalated')).toBe('delivered'), 60_000);
    const [began, rose] = await rowsOf([alertId]);
    expect(began).toMatchObject({ status: 'suppressed', heldFor: 'quiet_hours', foldedInto: rose!.id });
  });

  test('an escalation’s step is in no digest, and disturbs nobody in quiet hours unless the alert is critical', async () => {
    const [collecting, quiet] = [await hook({ digest: dailyIn(8 * HOUR), below: 'critical' }), await hook({ quietHours: aroundNow() })];
    const ruleId = await scene.world().rule([collecting, quiet]);
    const alertId = await scene.world().alert(ruleId);
    const { tenantId, triggerId } = await scene.world().trigger(ruleId, alertId, 'unacknowledged', 'error');
    await scene
      .world()
      .inTenant((sql) => sql`update triggers set channels = ${JSON.stringify([collecting, quiet])}::text::jsonb where id = ${triggerId}`);
    await scene.hint({ tenantId, triggerId });
    await told('alert.unacknowledged 1');
    const rows = await scene.settled(alertId, (all) => all.length === 2 && all.some(({ status }) => status === 'delivered'));
    expect(rows.map(({ channelKey, status }) => [channelKey, status])).toEqual(
      expect.arrayContaining([
        [collecting, 'delivered'],
        [quiet, 'pending'],
      ]),
    );
  });

  test('a fire drill is told at once', async () => {
    const ruleId = await scene.world().rule([await hook({ quietHours: aroundNow(), digest: dailyIn(8 * HOUR), below: 'critical' })]);
    const alertId = await scene.world().alert(ruleId);
    await scene.world().inTenant((sql) => sql`update alerts set rule_key = 'drill:1' where id = ${alertId}`);
    await fire(ruleId, 'fired', 'info', alertId);
    await told('alert.fired 1');
  });
});

describeQueues('what waits and a restart', (backend) => {
  test('loses nothing: who comes after finds the rows', async () => {
    const [world, receiver] = await Promise.all([deliveryWorld(backend), webhookReceiver()]);
    try {
      await world.channel('hook', 'webhook', { url: receiver.url });
      await world.inTenant((sql) => sql`update channels set quiet_hours = ${JSON.stringify(aroundNow())}::text::jsonb`);
      const ruleId = await world.rule(['hook']);
      const alerts = [await world.alert(ruleId), await world.alert(ruleId)];
      const first = startDispatcher(world.deps);
      await first.ready();
      for (const alertId of alerts)
        await world.deps.queues.producer(dispatchTrigger).send(await world.trigger(ruleId, alertId, 'fired', 'error'));
      for (const alertId of alerts)
        await vi.waitFor(async () => expect(await world.deliveries(alertId)).toMatchObject([{ status: 'pending' }]), 60_000);
      await first.close();

      world.db.clock.shiftMs += 4 * HOUR;
      const second = startDispatcher(await world.openDeps());
      await second.ready();
      await openSweep(world.deps)();
      await vi.waitFor(() => expect(receiver.requests).toHaveLength(1), 60_000);
      expect(JSON.parse(receiver.requests[0]!.body).data.group).toMatchObject({ reason: 'quiet_hours', count: 2, began: 2 });
      await second.close();
    } finally {
      await world.close();
      await receiver.close();
    }
  });
});
