import { deliver } from '@tocsin/queue';
import { describeQueues } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import { planTriggers } from '../dispatch/plan-triggers.ts';
import { openLanes } from './lanes.ts';

describeQueues('a beginning and an end that both wait unsent', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, settled } = scene;

  /** Plans it as a dispatcher does that has no place for it. */
  const plan = async (trigger: { tenantId: string; triggerId: string }): Promise<void> => {
    const { deps } = scene.world();
    const lanes = openLanes({ total: 0, perTenant: 0, perChannel: 0, inLine: 0 }, deps.clock.now);
    await planTriggers({ ...deps, lanes, giveUp: new AbortController().signal }, [trigger]);
  };
  const waiting = async () => {
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    await plan(await scene.world().trigger(ruleId, alertId, 'fired'));
    return { ruleId, alertId };
  };
  const hint = (deliveryId: string): Promise<void> =>
    scene.world().deps.queues.producer(deliver).send({ tenantId: scene.world().tenantId, deliveryId }, { evenIfKnown: true });
  const foldedInto = async (alertId: string): Promise<(string | null)[]> => {
    const rows = await scene
      .world()
      .inTenant(
        (sql) => sql<{ into: string | null }[]>`select folded_into as into from deliveries where alert_id = ${alertId} and kind = 'fired'`,
      );
    return rows.map(({ into }) => into);
  };

  test('are one message that tells both; the row of the beginning names the other', async () => {
    const { ruleId, alertId } = await waiting();
    await plan(await scene.world().trigger(ruleId, alertId, 'resolved'));
    const rows = await scene.world().deliveries(alertId);
    const [fired, end] = [rows.find(({ kind }) => kind === 'fired')!, rows.find(({ kind }) => kind === 'resolved')!];
    await hint(end.id);
    await hint(fired.id);
    const over = await settled(alertId, (found) => found.every(({ status }) => status === 'suppressed' || status === 'delivered'));
    expect(over.find(({ kind }) => kind === 'fired')).toMatchObject({ status: 'suppressed', reason: 'folded', attempts: 0, body: null });
    expect(over.find(({ kind }) => kind === 'resolved')).toMatchObject({ status: 'delivered', attempts: 1 });
    expect(await foldedInto(alertId)).toEqual([end.id]);
    expect(scene.receiver().requests).toHaveLength(1);
    const { type, data } = JSON.parse(scene.receiver().requests[0]?.body ?? '') as {
      type: string;
      data: { alert: Record<string, string> };
    };
    expect(type).toBe('alert.resolved');
    expect(data.alert['folded']).toContain(`fired at ${data.alert['startedAt']} and was resolved at ${data.alert['resolvedAt']}`);
  });

  test('are two once the beginning was tried: its body stands', async () => {
    const { ruleId, alertId } = await waiting();
    scene.receiver().respondWith((_request, index) => ({ status: index === 0 ? 503 : 200 }));
    const [fired] = await scene.world().deliveries(alertId);
    await hint(fired!.id);
    const [retrying] = await settled(alertId, ([row]) => row?.status === 'retrying');
    await plan(await scene.world().trigger(ruleId, alertId, 'resolved'));
    await scene.passTo(retrying!);
    await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'delivered'));
    expect(scene.receiver().requests.map(({ body }) => (JSON.parse(body) as { type: string }).type)).toEqual([
      'alert.fired',
      'alert.fired',
      'alert.resolved',
    ]);
    expect(await foldedInto(alertId)).toEqual([null]);
  });
});
