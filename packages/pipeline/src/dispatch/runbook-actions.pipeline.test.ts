import { acknowledgeAlerts, withTenant } from '@tocsin/db';
import { actionChannelKey, type ActionEvent, type Matcher } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { createHmac } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import type { DeliveryRow } from '../../test/delivery-world.ts';
import { sweep } from '../sweep/sweep.ts';

const MINUTE = 60_000;
const SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`;

describeQueues('a runbook action', (backend) => {
  const scene = deliveryScene(backend);
  const { hint, key, settled, passTo } = scene;
  const inTenant: ReturnType<typeof scene.world>['inTenant'] = (work) => scene.world().inTenant(work);
  afterEach(() => inTenant((sql) => sql`delete from channels where key like 'action/%'`));

  const told = (rows: readonly DeliveryRow[]): string[] =>
    rows.map(({ channelKey, kind, status, reason }) => `${kind} → ${channelKey.split('-')[0]}: ${reason ?? status}`);
  const becomes = async (alertId: string, expected: string[]): Promise<void> =>
    void (await settled(alertId, (rows) => told(rows).toSorted().join() === expected.toSorted().join()));

  const team = async (): Promise<string> => {
    const channel = `team-${key('hook')}`;
    await scene.world().channel(channel, 'webhook', { url: `${scene.receiver().url}/team` });
    return channel;
  };
  const action = async (events: ActionEvent[], matchers: Matcher[] = []): Promise<string> => {
    const name = `run-${key('book')}`;
    const channelId = await scene
      .world()
      .channel(actionChannelKey(name), 'webhook', { url: `${scene.receiver().url}/run`, secret: SECRET });
    await inTenant(
      (sql) => sql`
        insert into runbook_actions (tenant_id, key, name, matchers, events, channel_id, created_by, updated_by)
        values (${scene.world().tenantId}, ${name}, ${name}, ${JSON.stringify(matchers)}::text::jsonb, ${JSON.stringify(events)}::text::jsonb, ${channelId},
                'test', 'test')`,
    );
    return name;
  };
  const calls = () => scene.receiver().requests.filter(({ path }) => path === '/run');
  const burning = async (channels: string[], labels: Record<string, string> = {}) => {
    const ruleId = await scene.world().rule(channels);
    const alertId = await scene.world().alert(ruleId);
    await inTenant((sql) => sql`update alerts set labels = ${JSON.stringify(labels)}::text::jsonb where id = ${alertId}`);
    return { ruleId, alertId };
  };
  const tell = async ({ ruleId, alertId }: { ruleId: string; alertId: string }, kind: 'fired' | 'resolved'): Promise<void> => {
    if (kind === 'resolved')
      await inTenant((sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now() where id = ${alertId}`);
    await hint(await scene.world().trigger(ruleId, alertId, kind));
  };
  const onTimeline = (alertId: string) =>
    inTenant(
      (sql) => sql<{ kind: string; reason: string | null; data: Record<string, unknown> }[]>`
        select kind, reason, data from alert_events where alert_id = ${alertId} and kind like 'action_%' order by at, id`,
    );

  test('is called, signed, when an alert it matches opens, is acknowledged and ends, and what it answers is on the timeline', async () => {
    scene.receiver().respondWith(({ path }) => ({ status: 200, body: path === '/run' ? `restarted, by ${SECRET}` : '' }));
    await action(['fired', 'acknowledged', 'resolved'], [{ label: 'env', op: '=', value: 'prod' }]);
    const [alert, other] = [await burning([await team()], { env: 'prod' }), await burning([await team()], { env: 'test' })];
    await tell(other, 'fired');
    await becomes(other.alertId, ['fired → team: delivered']);

    await tell(alert, 'fired');
    await becomes(alert.alertId, ['fired → team: delivered', 'fired → action/run: delivered']);
    const { db, tenantId } = scene.world();
    const [triggerId] = await withTenant(db, tenantId, (tx) =>
      acknowledgeAlerts(tx, tenantId, [alert.alertId], { actor: 'ann', note: null }),
    );
    await hint({ tenantId, triggerId: triggerId! });
    await becomes(alert.alertId, ['fired → team: delivered', 'fired → action/run: delivered', 'acknowledged → action/run: delivered']);
    await tell(alert, 'resolved');
    await settled(alert.alertId, (rows) => rows.length === 5 && rows.every(({ status }) => status === 'delivered'));
    const bodies = calls().map(({ body, headers }) => {
      const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': signature } = headers;
      const own = createHmac('sha256', Buffer.alloc(24, 7))
        .update(`${String(id)}.${String(at)}.${body}`)
        .digest('base64');
      expect(signature).toBe(`v1,${own}`);
      return (JSON.parse(body) as { type: string }).type;
    });
    expect(bodies).toEqual(['alert.fired', 'alert.acknowledged', 'alert.resolved']);
    const entries = await onTimeline(alert.alertId);
    expect(entries.map(({ kind, data }) => [kind, data['told']])).toEqual([
      ['action_delivered', 'fired'],
      ['action_delivered', 'acknowledged'],
      ['action_delivered', 'resolved'],
    ]);
    expect(entries[0]?.data['answer']).toEqual({ statusCode: 200, excerpt: 'restarted, by ••••' });
  });

  test('is called again under the same id when it fails, as any message is; given up, no other channel hears of it', async () => {
    scene.receiver().respondWith(({ path }, index) => ({ status: path === '/run' ? (index < 2 ? 503 : 400) : 200 }));
    await action(['fired']);
    const alert = await burning([await team()]);
    await tell(alert, 'fired');
    const [, first] = await settled(alert.alertId, (rows) => rows.some(({ status }) => status === 'retrying')).then((rows) =>
      rows.toSorted((a) => (a.status === 'retrying' ? 1 : -1)),
    );
    await passTo(first!);
    const dead = () =>
      settled(alert.alertId, (rows) => rows.some(({ channelKey, status }) => channelKey.startsWith('action/') && status === 'dead'));
    await dead();
    expect(new Set(calls().map(({ headers }) => headers['webhook-id']))).toEqual(new Set([first!.id]));
    expect(calls().length).toBeGreaterThan(1);
    expect((await onTimeline(alert.alertId)).map(({ kind, reason, data }) => [kind, reason, data['attempts']])).toEqual([
      ['action_dead', 'http_400', 2],
    ]);
    const instead = await inTenant((sql) => sql`select id from deliveries where alert_id = ${alert.alertId} and kind = 'undelivered'`);
    expect(instead).toHaveLength(0);
  });

  test('that hangs on the end alone is called then; one that hangs on both only if it was called at the beginning', async () => {
    const alert = await burning([await team()]);
    await tell(alert, 'fired');
    await becomes(alert.alertId, ['fired → team: delivered']);
    await action(['resolved']);
    await action(['fired', 'resolved']);
    await tell(alert, 'resolved');
    const end = ['resolved → team: delivered', 'resolved → action/run: delivered', 'resolved → action/run: never_told'];
    await becomes(alert.alertId, ['fired → team: delivered', ...end]);
    expect(calls()).toHaveLength(1);
  });

  test('is not called while the alert is muted, and is when that ends', async () => {
    await action(['fired']);
    const alert = await burning([]);
    await inTenant((sql) => sql`update alerts set silenced_until = tocsin_now() + interval '30 minutes' where id = ${alert.alertId}`);
    await tell(alert, 'fired');
    await becomes(alert.alertId, ['fired → action/run: alert_silenced']);
    scene.world().db.clock.shiftMs += 31 * MINUTE;
    await sweep(scene.world().deps);
    await becomes(alert.alertId, ['fired → action/run: alert_silenced', 'unsilenced → action/run: delivered']);
  });

  test('that is switched off, or no more, is not called', async () => {
    const [off, gone] = [await action(['fired']), await action(['fired'])];
    await inTenant((sql) => sql`update channels set enabled = false where key = ${actionChannelKey(off)}`);
    await inTenant((sql) => sql`delete from channels where key = ${actionChannelKey(gone)}`);
    const alert = await burning([await team()]);
    await tell(alert, 'fired');
    await becomes(alert.alertId, ['fired → team: delivered']);
    expect(await inTenant((sql) => sql`select key from runbook_actions where key = ${gone}`)).toHaveLength(0);
  });
});
