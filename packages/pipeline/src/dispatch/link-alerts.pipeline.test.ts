import { describeQueues } from '@tocsin/testkit';
import { expect, test, vi } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';

const MINUTE = 60_000;

describeQueues('alerts that open close together and share labels', (backend) => {
  const scene = deliveryScene(backend);
  const { hint, hook, key } = scene;
  const inTenant: ReturnType<typeof scene.world>['inTenant'] = (work) => scene.world().inTenant(work);

  const open = async (labels: Record<string, string>): Promise<{ ruleId: string; alertId: string }> => {
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    await inTenant((sql) => sql`update alerts set labels = ${JSON.stringify(labels)}::text::jsonb where id = ${alertId}`);
    return { ruleId, alertId };
  };
  const fire = async (labels: Record<string, string>): Promise<string> => {
    const { ruleId, alertId } = await open(labels);
    await hint(await scene.world().trigger(ruleId, alertId, 'fired'));
    await scene.settled(alertId, (rows) => rows.some(({ status }) => status === 'delivered'));
    return alertId;
  };
  /** By alert; null: it stands alone. */
  const incidents = async (alertIds: string[]): Promise<(string | null)[]> => {
    const rows = await inTenant(
      (sql) => sql<{ alertId: string; id: string }[]>`
        select alert_id as "alertId", incident_id as id from incident_alerts where alert_id = any(${alertIds}::uuid[])`,
    );
    return alertIds.map((alertId) => rows.find((row) => row.alertId === alertId)?.id ?? null);
  };

  test('are one incident, and so is what follows within five minutes of the last; others are not', async () => {
    const [host, other] = [key('host'), key('host')];
    const a = await fire({ host, env: 'prod' });
    expect(await incidents([a])).toEqual([null]);
    const b = await fire({ host });
    const alone = await fire({ host: other });
    scene.world().db.clock.shiftMs += 4 * MINUTE;
    const c = await fire({ host });
    scene.world().db.clock.shiftMs += 4 * MINUTE;
    const d = await fire({ host });
    scene.world().db.clock.shiftMs += 6 * MINUTE;
    const late = await fire({ host });
    const [first, ...rest] = await incidents([a, b, c, d, alone, late]);
    expect(first).not.toBeNull();
    expect(rest).toEqual([first, first, first, null, null]);
    const [row] = await inTenant(
      (sql) => sql`select alerts, last_at - opened_at > interval '7 minutes' as long from incidents where id = ${first!}`,
    );
    expect(row).toEqual({ alerts: 4, long: true });
    expect((await scene.world().timeline(b)).map(({ kind }) => kind)).toContain('incident_joined');
  });

  test('are one incident, however many dispatchers plan them at once', async () => {
    const host = key('host');
    const opened = await Promise.all(Array.from({ length: 12 }, () => open({ host })));
    const triggers = await Promise.all(opened.map(({ ruleId, alertId }) => scene.world().trigger(ruleId, alertId, 'fired')));
    await Promise.all(triggers.map(hint));
    await vi.waitFor(
      async () => {
        const found = await incidents(opened.map(({ alertId }) => alertId));
        expect([...new Set(found)]).toEqual([expect.any(String)]);
      },
      { timeout: 45_000, interval: 50 },
    );
    const rows = await inTenant(
      (sql) =>
        sql`select alerts from incidents where id in (select incident_id from incident_alerts where alert_id = ${opened[0]!.alertId})`,
    );
    expect(rows).toEqual([{ alerts: 12 }]);
  });

  test('are no incident with what is over already', async () => {
    const host = key('host');
    const over = await fire({ host });
    await inTenant((sql) => sql`update alerts set status = 'resolved', resolved_at = tocsin_now() where id = ${over}`);
    expect(await incidents([over, await fire({ host })])).toEqual([null, null]);
  });
});
