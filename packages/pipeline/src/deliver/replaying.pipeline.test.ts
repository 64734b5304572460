import { lockDelivery, reopenDelivery, withTenant } from '@tocsin/db';
import { RETRY } from '@tocsin/domain';
import { describeQueues } from '@tocsin/testkit';
import { beforeEach, expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import type { DeliveryRow } from '../../test/delivery-world.ts';

const HOUR = 3_600_000;

describeQueues('replaying', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, fire, poke, settled } = scene;
  // or one of them would be told instead of the one that fails
  beforeEach(() => scene.world().inTenant((sql) => sql`update channels set enabled = false`));

  const of = (rows: readonly DeliveryRow[], kind: string): DeliveryRow => {
    const row = rows.find((each) => each.kind === kind);
    if (row === undefined) throw new Error(`no delivery of ${kind}`);
    return row;
  };
  const isSettledAs = (kind: string, status: string, attempts: number) => (rows: readonly DeliveryRow[]) =>
    rows.some((row) => row.kind === kind && row.status === status && row.attempts === attempts);
  const received = () => scene.receiver().requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);

  const tell = async (ruleId: string, alertId: string, kind: 'fired' | 'reminded' | 'resolved'): Promise<void> =>
    scene.hint(await scene.world().trigger(ruleId, alertId, kind));
  /** As people do by hand. */
  const replay = async ({ id }: DeliveryRow): Promise<void> => {
    const { db, tenantId } = scene.world();
    await withTenant(db, tenantId, async (tx) => {
      await lockDelivery(tx, tenantId, id);
      await reopenDelivery(tx, tenantId, id, RETRY.expiresAfterMs);
    });
    await poke(id);
  };

  test('a beginning whose end was delivered is followed by that end, with its id and bytes', async () => {
    scene.receiver().respondWith((_request, index) => ({ status: index === 0 ? 400 : 200 }));
    const { ruleId, alertId } = await fire([await hook()]);
    const dead = of(await settled(alertId, isSettledAs('fired', 'dead', 1)), 'fired');
    await tell(ruleId, alertId, 'resolved');
    await settled(alertId, isSettledAs('resolved', 'delivered', 1));

    await replay(dead);
    const rows = await settled(alertId, isSettledAs('resolved', 'delivered', 2));
    expect(of(rows, 'fired')).toMatchObject({ id: dead.id, status: 'delivered', attempts: 2 });
    expect(received()).toEqual(['alert.fired', 'alert.resolved', 'alert.fired', 'alert.resolved']);
    const [, first, , second] = scene.receiver().requests;
    expect([second?.headers['webhook-id'], second?.body]).toEqual([first?.headers['webhook-id'], first?.body]);
  });

  test('a beginning that was never tried is told with the end that was told to nobody, in one message', async () => {
    const { world } = scene;
    const ruleId = await world().rule([await hook()]);
    const alertId = await world().alert(ruleId);
    const fired = await world().trigger(ruleId, alertId, 'fired');
    world().db.clock.shiftMs += 25 * HOUR;
    await scene.hint(fired);
    const dead = of(await settled(alertId, isSettledAs('fired', 'dead', 0)), 'fired');
    await tell(ruleId, alertId, 'resolved');
    const unsaid = of(await settled(alertId, isSettledAs('resolved', 'suppressed', 0)), 'resolved');
    expect([dead.reason, unsaid.reason]).toEqual(['expired', 'never_told']);

    await replay(dead);
    const rows = await settled(alertId, isSettledAs('resolved', 'delivered', 1));
    expect(of(rows, 'resolved')).toMatchObject({ id: unsaid.id, reason: null });
    expect(of(rows, 'fired')).toMatchObject({ id: dead.id, status: 'suppressed', reason: 'folded' });
    expect(received()).toEqual(['alert.resolved']);
    const triggers = await world().inTenant(
      (sql) => sql`select kind, status, reason from triggers where alert_id = ${alertId} order by seq`,
    );
    expect(triggers).toEqual([
      { kind: 'fired', status: 'planned', reason: null },
      { kind: 'resolved', status: 'planned', reason: null },
    ]);
  });

  test('an end that is being sent just now is sent again after the beginning', async () => {
    const held = Promise.withResolvers<void>();
    scene.receiver().respondWith(async (_request, index) => {
      if (index === 1) await held.promise;
      return { status: index === 0 ? 400 : 200 };
    });
    const { ruleId, alertId } = await fire([await hook()]);
    const dead = of(await settled(alertId, isSettledAs('fired', 'dead', 1)), 'fired');
    await tell(ruleId, alertId, 'resolved');
    await settled(alertId, (rows) => isSettledAs('resolved', 'sending', 1)(rows) && received().length === 2);

    await replay(dead);
    await settled(alertId, isSettledAs('fired', 'delivered', 2));
    held.resolve();
    await settled(alertId, isSettledAs('resolved', 'delivered', 2));
    expect(received()).toEqual(['alert.fired', 'alert.resolved', 'alert.fired', 'alert.resolved']);
  });

  test('other channels and other alerts hear nothing of it, and an end by itself goes alone', async () => {
    scene.receiver().respondWith((_request, index) => ({ status: index === 0 ? 400 : 200 }));
    const [broken, well] = [await hook(), await hook()];
    const { ruleId, alertId } = await fire([broken]);
    const dead = of(await settled(alertId, isSettledAs('fired', 'dead', 1)), 'fired');
    const other = await fire([broken, well]);
    await settled(other.alertId, (rows) => rows.every(({ status }) => status === 'delivered') && rows.length === 2);
    for (const told of [other, { ruleId, alertId }]) await tell(told.ruleId, told.alertId, 'resolved');
    const before = await settled(other.alertId, (rows) => rows.length === 4 && rows.every(({ status }) => status === 'delivered'));
    await settled(alertId, isSettledAs('resolved', 'delivered', 1));

    await replay(dead);
    await settled(alertId, isSettledAs('resolved', 'delivered', 2));
    expect(await scene.world().deliveries(other.alertId)).toMatchObject(before.map(({ id, attempts }) => ({ id, attempts })));

    const ends = (await scene.world().deliveries(alertId)).filter(({ channelKey }) => channelKey === broken);
    const end = of(ends, 'resolved');
    await scene.world().inTenant((sql) => sql`update deliveries set status = 'dead', reason = 'http_400' where id = ${end.id}`);
    await replay(end);
    const rows = await settled(alertId, isSettledAs('resolved', 'delivered', 3));
    expect(of(rows, 'fired').attempts).toBe(2);
  });
});
