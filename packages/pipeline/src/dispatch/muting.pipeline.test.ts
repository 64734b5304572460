import { endSilence, lockSilence, newId, wakeWaiting, withTenant } from '@tocsin/db';
import type { Inhibition, Matcher, Route } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import type { DeliveryRow } from '../../test/delivery-world.ts';
import { sweep } from '../sweep/sweep.ts';

const HOUR = 3_600_000;

describeQueues('what is muted', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, hint, key, settled } = scene;
  const inTenant: ReturnType<typeof scene.world>['inTenant'] = (work) => scene.world().inTenant(work);

  afterEach(() => inTenant((sql) => sql`delete from notification_lists`));

  const told = (rows: readonly DeliveryRow[]): string[] =>
    rows.map(({ kind, status, reason }) => `${kind} ${status}${reason === null ? '' : `(${reason})`}`);
  const types = (): string[] => scene.receiver().requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  const pass = (ms: number): void => void (scene.world().db.clock.shiftMs += ms);
  const look = () => sweep(scene.world().deps);
  const is = (label: string, value: string): Matcher => ({ label, op: '=', value });
  const json = (value: unknown): string => JSON.stringify(value);

  /** An open alert of a rule that tells these channels, of a series of its own; `service` is nobody else's. */
  const burning = async (channels: string[], labels: Record<string, string> = {}, more: { remindEvery?: string } = {}) => {
    const service = labels['service'] ?? key('service');
    const ruleId = await scene.world().rule(channels, more);
    const alertId = await scene.world().alert(ruleId);
    await inTenant((sql) => sql`update alerts set labels = ${json({ ...labels, service })}::text::jsonb where id = ${alertId}`);
    return { service, ruleId, alertId };
  };
  const silence = async (service: string, forMs: number, onResolve = false): Promise<string> => {
    const id = newId();
    await inTenant(
      (sql) => sql`
        insert into silences (tenant_id, id, matchers, comment, starts_at, ends_at, on_resolve, created_by, updated_by)
        values (${scene.world().tenantId}, ${id}, ${json([is('service', service)])}::text::jsonb, '', tocsin_now(),
                tocsin_now() + make_interval(secs => ${forMs / 1_000}::float8), ${onResolve}, 'test', 'test')`,
    );
    return id;
  };
  /** As a person does it. */
  const endNow = (id: string): Promise<void> =>
    withTenant(scene.world().db, scene.world().tenantId, async (tx) => {
      await lockSilence(tx, scene.world().tenantId, id);
      await endSilence(tx, scene.world().tenantId, id, 'test');
      await wakeWaiting(tx, scene.world().tenantId, [id]);
    });
  const list = (kind: 'routes' | 'inhibitions', entries: readonly (Route | Inhibition)[]) =>
    inTenant(
      (sql) => sql`
        insert into notification_lists (tenant_id, kind, entries, updated_by)
        values (${scene.world().tenantId}, ${kind}, ${json(entries)}::text::jsonb, 'test')`,
    );
  const tell = async (
    { ruleId, alertId }: { ruleId: string; alertId: string },
    kind: Parameters<ReturnType<typeof scene.world>['trigger']>[2],
  ) => hint(await scene.world().trigger(ruleId, alertId, kind));
  const resolve = async (alert: { ruleId: string; alertId: string }): Promise<void> => {
    await inTenant((sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now() where id = ${alert.alertId}`);
    await tell(alert, 'resolved');
  };
  const muters = (alertId: string): Promise<(string | null)[]> =>
    inTenant(async (sql) =>
      (await sql<{ by: string | null }[]>`select suppressed_by as by from deliveries where alert_id = ${alertId}`).map(({ by }) => by),
    );
  const timers = (alertId: string): Promise<object[]> =>
    inTenant((sql) => sql`select kind from alert_timers where alert_id = ${alertId} and kind = 'unsilence'`);
  /** Waits for these deliveries of an alert, in any order. */
  const becomes = async (alertId: string, expected: string[]): Promise<void> =>
    void (await settled(alertId, (rows) => told(rows).toSorted().join() === expected.toSorted().join()));

  describe('by a silence', () => {
    test('is told nobody while it lasts, and at its end to the instant if it is still open', async () => {
      const alert = await burning([await hook(), await hook()]);
      const id = await silence(alert.service, HOUR);
      await tell(alert, 'fired');
      await becomes(alert.alertId, ['fired suppressed(silenced)', 'fired suppressed(silenced)']);
      expect(await muters(alert.alertId)).toEqual([id, id]);
      expect(await scene.world().timeline(alert.alertId)).toMatchObject([{ kind: 'delivery_suppressed', reason: 'silenced' }]);
      const [ends] = await inTenant(
        (sql) =>
          sql<{ ms: number }[]>`select (extract(epoch from ends_at - tocsin_now()) * 1000)::float8 as ms from silences where id = ${id}`,
      );
      pass(Math.floor(ends!.ms) - 60_000);
      await look();
      expect(await timers(alert.alertId)).toHaveLength(1);
      pass(60_001);
      await look();
      await becomes(alert.alertId, [...Array(2).fill('fired suppressed(silenced)'), ...Array(2).fill('unsilenced delivered')] as string[]);
      expect(types()).toEqual(['alert.unsilenced', 'alert.unsilenced']);
      expect(await timers(alert.alertId)).toEqual([]);
      await resolve(alert);
      await settled(alert.alertId, (rows) => rows.filter(({ kind, status }) => kind === 'resolved' && status === 'delivered').length === 2);
    });

    test('is never told when it is over by then', async () => {
      const alert = await burning([await hook()]);
      await silence(alert.service, HOUR);
      await tell(alert, 'fired');
      await resolve(alert);
      const expected = ['fired suppressed(silenced)', 'resolved suppressed(never_told)'];
      await becomes(alert.alertId, expected);
      pass(2 * HOUR);
      await look();
      expect(await timers(alert.alertId)).toEqual([]);
      expect(told(await scene.world().deliveries(alert.alertId)).toSorted()).toEqual(expected);
      expect(scene.receiver().requests).toHaveLength(0);
    });

    test('is told at once when a person ends it', async () => {
      const alert = await burning([await hook()]);
      const id = await silence(alert.service, 24 * HOUR);
      await tell(alert, 'fired');
      await becomes(alert.alertId, ['fired suppressed(silenced)']);
      await endNow(id);
      await look();
      await becomes(alert.alertId, ['fired suppressed(silenced)', 'unsilenced delivered']);
    });

    test('goes on waiting where another silence goes on', async () => {
      const alert = await burning([await hook()]);
      const first = await silence(alert.service, 2 * HOUR);
      await tell(alert, 'fired');
      await becomes(alert.alertId, ['fired suppressed(silenced)']);
      await silence(alert.service, 4 * HOUR);
      await endNow(first);
      await look();
      pass(3 * HOUR);
      await look();
      expect(told(await scene.world().deliveries(alert.alertId))).toEqual(['fired suppressed(silenced)']);
      pass(HOUR + 1_000);
      await look();
      await becomes(alert.alertId, ['fired suppressed(silenced)', 'unsilenced delivered']);
    });

    test('is told to nobody who has heard of it: a muted reminder is no news', async () => {
      const alert = await burning([await hook()], {}, { remindEvery: '1h' });
      await tell(alert, 'fired');
      await becomes(alert.alertId, ['fired delivered']);
      await silence(alert.service, HOUR);
      await tell(alert, 'reminded');
      await becomes(alert.alertId, ['fired delivered', 'reminded suppressed(silenced)']);
      expect(await timers(alert.alertId)).toEqual([]);
      await resolve(alert);
      await settled(alert.alertId, (rows) => rows.some(({ kind, status }) => kind === 'resolved' && status === 'delivered'));
    });

    test('a rise that was muted is told at the end to who has heard of less', async () => {
      const alert = await burning([await hook()]);
      await tell(alert, 'fired');
      await becomes(alert.alertId, ['fired delivered']);
      await silence(alert.service, HOUR);
      await tell(alert, 'escalated');
      await becomes(alert.alertId, ['fired delivered', 'escalated suppressed(silenced)']);
      pass(HOUR + 1_000);
      await look();
      await becomes(alert.alertId, ['fired delivered', 'escalated suppressed(silenced)', 'unsilenced delivered']);
    });

    test('that lasts until it resolves ends with the last of what it mutes', async () => {
      const one = await burning([await hook()]);
      const other = await burning([await hook()], { service: one.service });
      const id = await silence(one.service, 24 * HOUR, true);
      const reasonOf = async (): Promise<string | null> => {
        const [row] = await inTenant(
          (sql) => sql<{ reason: string | null }[]>`select end_reason as reason from silences where id = ${id} and ends_at <= tocsin_now()`,
        );
        return row?.reason ?? null;
      };
      await tell(one, 'fired');
      await resolve(one);
      await becomes(one.alertId, ['fired suppressed(silenced)', 'resolved suppressed(never_told)']);
      expect(await reasonOf()).toBeNull();
      await resolve(other);
      await vi.waitFor(async () => expect(await reasonOf()).toBe('resolved'), 10_000);
    });

    test('ended while its alerts are being planned keeps none of them back', async () => {
      const alerts = await Promise.all(Array.from({ length: 12 }, async () => burning([await hook()], { service: 'raced' })));
      const id = await silence('raced', 24 * HOUR);
      const half = alerts.slice(0, 6).map((alert) => tell(alert, 'fired'));
      await Promise.all([...half, endNow(id), ...alerts.slice(6).map((alert) => tell(alert, 'fired'))]);
      const ended = (rows: readonly DeliveryRow[]): boolean => rows.filter(({ status }) => status === 'delivered').length === 1;
      await vi.waitFor(
        async () => {
          await look();
          for (const { alertId } of alerts) expect(ended(await scene.world().deliveries(alertId))).toBe(true);
        },
        { timeout: 45_000, interval: 100 },
      );
      await look();
      for (const { alertId } of alerts) expect(ended(await scene.world().deliveries(alertId))).toBe(true);
    });

    test('is told though the process that told it died before anybody was hinted', async () => {
      const alert = await burning([await hook()]);
      await silence(alert.service, HOUR);
      await tell(alert, 'fired');
      await becomes(alert.alertId, ['fired suppressed(silenced)']);
      pass(HOUR + 1_000);
      const { deps } = scene.world();
      const deaf = { ...deps.queues, producer: () => ({ send: () => Promise.reject(new Error('dead')) }) } as unknown as typeof deps.queues;
      await sweep({ ...deps, queues: deaf });
      expect(await timers(alert.alertId)).toEqual([]);
      pass(6_000);
      await look();
      await becomes(alert.alertId, ['fired suppressed(silenced)', 'unsilenced delivered']);
    });
  });

  test('one alert silenced alone mutes no other, and is told at its end', async () => {
    const [alert, other] = [await burning([await hook()]), await burning([await hook()])];
    await inTenant((sql) => sql`update alerts set silenced_until = tocsin_now() + interval '1 hour' where id = ${alert.alertId}`);
    await tell(alert, 'fired');
    await tell(other, 'fired');
    await becomes(alert.alertId, ['fired suppressed(alert_silenced)']);
    await becomes(other.alertId, ['fired delivered']);
    expect(await muters(alert.alertId)).toEqual([alert.alertId]);
    pass(HOUR + 1_000);
    await look();
    await becomes(alert.alertId, ['fired suppressed(alert_silenced)', 'unsilenced delivered']);
  });

  test('by maintenance is told at the end of the occurrence', async () => {
    const alert = await burning([await hook()]);
    const id = newId();
    const start = new Date(Date.now() - 60_000).toISOString().slice(0, 16);
    await inTenant(
      (sql) => sql`
        insert into maintenance_windows (tenant_id, id, name, matchers, time_zone, start, duration_ms, recurrence, created_by, updated_by)
        values (${scene.world().tenantId}, ${id}, 'Nightly', ${json([is('service', alert.service)])}::text::jsonb, 'UTC', ${start}, ${HOUR},
                '{"kind": "daily"}', 'test', 'test')`,
    );
    await tell(alert, 'fired');
    await becomes(alert.alertId, ['fired suppressed(maintenance)']);
    expect(await muters(alert.alertId)).toEqual([id]);
    pass(HOUR);
    await look();
    await becomes(alert.alertId, ['fired suppressed(maintenance)', 'unsilenced delivered']);
  });

  test('by another alert is told once that is over, and only where the labels are equal', async () => {
    const host = key('host');
    const down = await burning([await hook()], { host, kind: 'down' });
    const [slow, elsewhere] = [
      await burning([await hook()], { host, kind: 'slow' }),
      await burning([await hook()], { host: key('host'), kind: 'slow' }),
    ];
    await list('inhibitions', [{ source: [is('kind', 'down')], target: [is('kind', 'slow')], equal: ['host'] }]);
    for (const alert of [down, slow, elsewhere]) await tell(alert, 'fired');
    await becomes(down.alertId, ['fired delivered']);
    await becomes(elsewhere.alertId, ['fired delivered']);
    await becomes(slow.alertId, ['fired suppressed(inhibited)']);
    expect(await muters(slow.alertId)).toEqual([down.alertId]);
    pass(2 * 60_000);
    await look();
    expect(told(await scene.world().deliveries(slow.alertId))).toEqual(['fired suppressed(inhibited)']);
    await resolve(down);
    await becomes(down.alertId, ['fired delivered', 'resolved delivered']);
    await look();
    await becomes(slow.alertId, ['fired suppressed(inhibited)', 'unsilenced delivered']);
  });

  test('by nothing that a fire drill does: it inhibits nobody, and its end ends no silence', async () => {
    const host = key('host');
    const drill = await burning([await hook()], { host, kind: 'down' });
    await inTenant((sql) => sql`update alerts set rule_key = ${`drill:${newId()}`} where id = ${drill.alertId}`);
    const id = await silence(drill.service, 24 * HOUR, true);
    const slow = await burning([await hook()], { host, kind: 'slow' });
    await list('inhibitions', [{ source: [is('kind', 'down')], target: [is('kind', 'slow')], equal: ['host'] }]);
    for (const alert of [drill, slow]) await tell(alert, 'fired');
    await becomes(slow.alertId, ['fired delivered']);
    await resolve(drill);
    await becomes(drill.alertId, ['fired suppressed(silenced)', 'resolved suppressed(never_told)']);
    expect(await inTenant((sql) => sql`select end_reason from silences where id = ${id}`)).toEqual([{ end_reason: null }]);
  });

  test('routes tell of a rule that names nobody: the first that matches, and on where it says so', async () => {
    const [first, second, third] = [await hook(), await hook(), await hook()];
    const alert = await burning([], { team: 'shop' });
    const to = (channel: string) => [{ channel, minSeverity: 'info' as const }];
    await list('routes', [
      { matchers: [is('team', 'other')], channels: to(third), continue: false },
      { matchers: [is('team', 'shop')], channels: to(first), continue: true },
      { matchers: [], channels: to(second), continue: false },
      { matchers: [], channels: to(third), continue: false },
    ]);
    await tell(alert, 'fired');
    const rows = await settled(alert.alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'delivered'));
    expect(rows.map(({ channelKey }) => channelKey).toSorted()).toEqual([first, second].toSorted());
    await inTenant((sql) => sql`delete from notification_lists`);
    await resolve(alert);
    await settled(alert.alertId, (found) => found.filter(({ kind, status }) => kind === 'resolved' && status === 'delivered').length === 2);
  });
});
