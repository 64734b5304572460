import {
  acknowledgeAlerts,
  deleteEscalationPolicy,
  insertEscalationPolicy,
  lockDueTimers,
  lockEscalationPolicy,
  newId,
  unacknowledgeAlerts,
  updateEscalationPolicy,
  wakeEscalationsOf,
  withTenant,
  type DrizzleTx,
  type EscalationPolicyRow,
} from '@tocsin/db';
import type { EscalationStep, Matcher } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { afterEach, expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import type { DeliveryRow } from '../../test/delivery-world.ts';
import { sweep } from '../sweep/sweep.ts';
import { escalate } from './escalate.ts';

const MINUTE = 60_000;

describeQueues('an alert that nobody takes in hand', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, hint, key, settled } = scene;
  const inTenant: ReturnType<typeof scene.world>['inTenant'] = (work) => scene.world().inTenant(work);
  const asPerson = <T>(work: (tx: DrizzleTx, tenantId: string) => Promise<T>): Promise<T> => {
    const { db, tenantId } = scene.world();
    return withTenant(db, tenantId, (tx) => work(tx, tenantId));
  };
  afterEach(() => inTenant((sql) => sql`delete from escalation_policies`));

  const pass = (minutes: number): void => void (scene.world().db.clock.shiftMs += minutes * MINUTE);
  const look = () => sweep(scene.world().deps);
  const told = (rows: readonly DeliveryRow[]): string[] =>
    rows.map(({ channelKey, kind, status, reason }) => `${kind} → ${channelKey.split('-')[0]}: ${reason ?? status}`);
  const becomes = async (alertId: string, expected: string[]): Promise<void> =>
    void (await settled(alertId, (rows) => told(rows).toSorted().join() === expected.toSorted().join()));
  const is = (label: string, value: string): Matcher => ({ label, op: '=', value });

  const named = async (name: string): Promise<string> => {
    const channel = `${name}-${key('hook')}`;
    await scene.world().channel(channel, 'webhook', { url: `${scene.receiver().url}/${name}` });
    return channel;
  };
  const policy = async (
    steps: [minutes: number, ...channels: string[]][],
    more: Partial<Pick<EscalationPolicyRow, 'matchers' | 'position' | 'repeat' | 'key'>> = {},
  ): Promise<string> => {
    const policyKey = more.key ?? key('policy');
    const settings = { name: 'P', position: 100, matchers: [], repeat: null, steps: stepsOf(steps), ...more };
    await asPerson((tx, tenantId) => insertEscalationPolicy(tx, { ...settings, tenantId, key: policyKey, actor: 'test' }));
    return policyKey;
  };
  const stepsOf = (steps: [minutes: number, ...channels: string[]][]): EscalationStep[] =>
    steps.map(([minutes, ...channels]) => ({ afterMs: minutes * MINUTE, channels }));
  /** As a person does it. */
  const edit = (policyKey: string, steps: [minutes: number, ...channels: string[]][]) =>
    asPerson(async (tx, tenantId) => {
      const row = await lockEscalationPolicy(tx, { tenantId, key: policyKey });
      if (row === null) throw new Error('no policy');
      await updateEscalationPolicy(tx, { ...row, steps: stepsOf(steps), actor: 'test' });
      await wakeEscalationsOf(tx, tenantId, policyKey);
    });

  const fire = async (labels: Record<string, string> = {}) => {
    const ruleId = await scene.world().rule([await named('team')]);
    const alertId = await scene.world().alert(ruleId);
    await inTenant((sql) => sql`update alerts set labels = ${JSON.stringify(labels)}::text::jsonb where id = ${alertId}`);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await becomes(alertId, ['fired → team: delivered']);
    return { ruleId, alertId };
  };
  const resolve = async ({ ruleId, alertId }: { ruleId: string; alertId: string }): Promise<void> => {
    await inTenant((sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now() where id = ${alertId}`);
    await hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
  };
  /** When its escalation is due, in minutes since it opened; null: when somebody wakes it. Undefined: there is none. */
  const dueAfter = async (alertId: string): Promise<number | null | undefined> => {
    const [row] = await inTenant(
      (sql) => sql<{ id: string; minutes: number | null }[]>`
        select t.id, (extract(epoch from due_at - started_at) / 60)::float8 as minutes
        from alert_timers t join alerts a on a.id = t.alert_id where t.alert_id = ${alertId} and kind = 'escalation'`,
    );
    return row?.minutes;
  };
  const timeline = async (alertId: string): Promise<string[]> =>
    (await scene.world().timeline(alertId)).map(({ kind, reason }) => (reason === null ? kind : `${kind}(${reason})`));

  test('is told step by step, each to its own channels and to the instant, the last as often as it says, and then no more', async () => {
    const [lead, boss] = [await named('lead'), await named('boss')];
    await policy(
      [
        [5, lead],
        [15, boss],
      ],
      { repeat: { everyMs: 10 * MINUTE, times: 2 } },
    );
    const { alertId } = await fire();
    expect(await dueAfter(alertId)).toBe(5);
    pass(4.5);
    await look();
    expect(await dueAfter(alertId)).toBe(5);
    pass(0.5);
    await look();
    const first = ['fired → team: delivered', 'unacknowledged → lead: delivered'];
    await becomes(alertId, first);
    expect(await dueAfter(alertId)).toBe(15);
    const { body } = scene.receiver().requests.at(-1)!;
    expect(JSON.parse(body)).toMatchObject({ type: 'alert.unacknowledged', data: { alert: { id: alertId, unacknowledgedFor: '5m' } } });

    const ups = (count: number): string[] => [...first, ...Array<string>(count).fill('unacknowledged → boss: delivered')];
    for (const [count, next] of [
      [1, 25],
      [2, 35],
      [3, undefined],
    ] as const) {
      pass(10);
      await look();
      await becomes(alertId, ups(count));
      expect(await dueAfter(alertId)).toBe(next ?? null);
    }
    pass(600);
    await look();
    await becomes(alertId, ups(3));
  });

  test('is told no more once somebody has it; given back, what passed meanwhile is told at once, as one', async () => {
    const [lead, boss] = [await named('lead'), await named('boss')];
    await policy([
      [5, lead],
      [10, lead, boss],
      [60, boss],
    ]);
    const { alertId } = await fire();
    await asPerson((tx, tenantId) => acknowledgeAlerts(tx, tenantId, [alertId], { actor: 'ann', note: null }));
    pass(30);
    await look();
    expect(await dueAfter(alertId)).toBeNull();
    await becomes(alertId, ['fired → team: delivered']);

    await asPerson((tx, tenantId) => unacknowledgeAlerts(tx, tenantId, [alertId], { actor: 'ann', note: null }));
    await look();
    const after = ['fired → team: delivered', 'unacknowledged → lead: delivered', 'unacknowledged → boss: delivered'];
    await becomes(alertId, after);
    expect(await dueAfter(alertId)).toBe(60);
    await look();
    await becomes(alertId, after);
  });

  test('whoever an escalation told hears that it is over, and nobody after that', async () => {
    const [lead, boss] = [await named('lead'), await named('boss')];
    await policy([
      [5, lead],
      [10, boss],
    ]);
    const alert = await fire();
    pass(5);
    await look();
    await becomes(alert.alertId, ['fired → team: delivered', 'unacknowledged → lead: delivered']);
    await resolve(alert);
    const end = ['resolved → team: delivered', 'resolved → lead: delivered'];
    await becomes(alert.alertId, ['fired → team: delivered', 'unacknowledged → lead: delivered', ...end]);
    expect(await dueAfter(alert.alertId)).toBeUndefined();
    pass(60);
    await look();
    expect(await scene.world().deliveries(alert.alertId)).toHaveLength(4);
  });

  test('a step that falls into a silence is passed over, and the timeline says so', async () => {
    const [lead, boss] = [await named('lead'), await named('boss')];
    await policy([
      [5, lead],
      [60, boss],
    ]);
    const service = key('service');
    const { alertId } = await fire({ service });
    await inTenant(
      (sql) => sql`
        insert into silences (tenant_id, id, matchers, comment, starts_at, ends_at, created_by, updated_by)
        values (${scene.world().tenantId}, ${newId()}, ${JSON.stringify([is('service', service)])}::text::jsonb, '', tocsin_now(),
                tocsin_now() + interval '30 minutes', 'test', 'test')`,
    );
    pass(5);
    await look();
    expect(await dueAfter(alertId)).toBe(60);
    expect(await timeline(alertId)).toContain('escalation_muted(silenced)');
    pass(55);
    await look();
    await becomes(alertId, ['fired → team: delivered', 'unacknowledged → boss: delivered']);
  });

  test('what was muted from its beginning escalates from when it is told', async () => {
    const lead = await named('lead');
    await policy([[5, lead]]);
    const ruleId = await scene.world().rule([await named('team')]);
    const alertId = await scene.world().alert(ruleId);
    await inTenant((sql) => sql`update alerts set silenced_until = tocsin_now() + interval '30 minutes' where id = ${alertId}`);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await becomes(alertId, ['fired → team: alert_silenced']);
    expect(await dueAfter(alertId)).toBeUndefined();
    pass(30.5);
    await look();
    await becomes(alertId, ['fired → team: alert_silenced', 'unsilenced → team: delivered']);
    const due = (await dueAfter(alertId)) ?? 0;
    expect([due > 35.4, due < 36.5]).toEqual([true, true]);
  });

  test('the policy of now holds: another time, another channel, none at all', async () => {
    const [lead, boss] = [await named('lead'), await named('boss')];
    const edited = await policy([[60, lead]]);
    const { alertId } = await fire();
    await edit(edited, [
      [10, boss],
      [90, lead],
    ]);
    await look();
    expect(await dueAfter(alertId)).toBe(10);
    pass(10);
    await look();
    await becomes(alertId, ['fired → team: delivered', 'unacknowledged → boss: delivered']);
    await asPerson(async (tx, tenantId) => {
      await deleteEscalationPolicy(tx, { tenantId, key: edited });
      await wakeEscalationsOf(tx, tenantId, edited);
    });
    await look();
    expect(await dueAfter(alertId)).toBeUndefined();
    expect((await timeline(alertId)).at(-1)).toBe('escalation_ended(policy_deleted)');
  });

  test('of several that match the lowest position holds, then the first by key; none that does not match', async () => {
    const [a, b] = [await named('a'), await named('b')];
    await policy([[1, a]], { key: 'z-other', position: 1, matchers: [is('service', 'other')] });
    await policy([[3, b]], { key: 'b', position: 5 });
    await policy([[2, b]], { key: 'a', position: 5 });
    await policy([[1, a]], { key: '0-late', position: 6 });
    expect(await dueAfter((await fire({ service: 'mine' })).alertId)).toBe(2);
    expect(await dueAfter((await fire({ service: 'other' })).alertId)).toBe(1);
  });

  test('a step whose hint was lost with its process is told by the sweep, once', async () => {
    const lead = await named('lead');
    await policy([[5, lead]]);
    const { alertId } = await fire();
    pass(5);
    const [timer] = await inTenant(
      (sql) => sql<{ id: string }[]>`select id from alert_timers where alert_id = ${alertId} and kind = 'escalation'`,
    );
    // all that the process did before it died: its transaction
    const { tenantId } = scene.world();
    const fired = await inTenant(async (sql) => escalate(sql, tenantId, await lockDueTimers(sql, tenantId, [timer!.id])));
    expect(fired).toHaveLength(1);
    await becomes(alertId, ['fired → team: delivered']);
    pass(0.2);
    await look();
    await becomes(alertId, ['fired → team: delivered', 'unacknowledged → lead: delivered']);
    await look();
    expect(await scene.world().deliveries(alertId)).toHaveLength(2);
  });

  test('a channel of a step that is gone is named, the others hear', async () => {
    const lead = await hook();
    await policy([[5, lead, 'gone']]);
    const { alertId } = await fire();
    pass(5);
    await look();
    await becomes(alertId, ['fired → team: delivered', 'unacknowledged → hook: delivered', 'unacknowledged → gone: channel_missing']);
  });
});
