import { lockDelivery, newId, reopenDelivery, withTenant } from '@tocsin/db';
import { describeQueues } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';

const HOUR = 3_600_000;

describeQueues('retrying', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, fire, poke, only, passTo } = scene;

  test('a receiver that fails five times and then answers: one delivery, six attempts with their times, the same id and bytes', async () => {
    scene.receiver().respondWith((_request, index) => ({ status: index < 5 ? 500 : 200 }));
    const { ruleId, alertId } = await fire([await hook()]);
    for (let failed = 1; failed <= 5; failed += 1) {
      const row = await only(alertId, ({ status, attempts }) => status === 'retrying' && attempts === failed);
      expect(row.reason).toBe('http_500');
      const nominalMs = 5_000 * 4 ** (failed - 1);
      expect(row.nextInMs).toBeGreaterThan(nominalMs * 0.8 - 5_000 * Number(failed > 1) - 1_000);
      expect(row.nextInMs).toBeLessThanOrEqual(nominalMs * 1.2);
      await scene
        .world()
        .inTenant((sql) => sql`update rules set spec = jsonb_set(spec, '{annotations}', '{"summary": "edited"}') where id = ${ruleId}`);
      await passTo(row);
    }
    const row = await only(alertId, ({ status }) => status === 'delivered');
    const attempts = await scene.world().attempts(row.id);
    expect(attempts.map(({ number, outcome, statusCode }) => [number, outcome, statusCode])).toEqual([
      [1, 'retry', 500],
      [2, 'retry', 500],
      [3, 'retry', 500],
      [4, 'retry', 500],
      [5, 'retry', 500],
      [6, 'delivered', 200],
    ]);
    for (let index = 1; index < attempts.length; index += 1) {
      const waitedMs = (attempts[index]?.startedMs ?? 0) - (attempts[index - 1]?.startedMs ?? 0);
      expect(waitedMs).toBeGreaterThanOrEqual(5_000 * 4 ** (index - 1) * 0.8 - 2);
    }
    expect(scene.receiver().requests).toHaveLength(6);
    expect(new Set(scene.receiver().requests.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
    expect(new Set(scene.receiver().requests.map(({ headers }) => headers['webhook-signature'])).size).toBe(6);
  });

  test('429 with Retry-After: 3 is never earlier, and is not counted', async () => {
    scene.receiver().respondWith((_request, index) => (index === 0 ? { status: 429, headers: { 'retry-after': '3' } } : { status: 200 }));
    const { alertId } = await fire([await hook()]);
    const row = await only(alertId, ({ status }) => status === 'retrying');
    expect(row).toMatchObject({ reason: 'http_429', attempts: 1, countedAttempts: 0 });

    await poke(row.id);
    scene.world().db.clock.shiftMs += Math.floor(row.nextInMs) - 1_000;
    await poke(row.id);
    await only((await fire([await hook()])).alertId, ({ status }) => status === 'delivered');
    expect(await scene.world().attempts(row.id)).toHaveLength(1);

    await passTo(await only(alertId, () => true));
    await only(alertId, ({ status }) => status === 'delivered');
    const [first, second] = await scene.world().attempts(row.id);
    expect(first).toMatchObject({ outcome: 'retry', retryAfterMs: 3_000 });
    expect((second?.startedMs ?? 0) - (first?.startedMs ?? 0)).toBeGreaterThanOrEqual(3_000);
  });

  test('eight attempts that count, then it is dead; retried by hand it goes out with the same id and body', async () => {
    scene.receiver().respondWith(() => ({ status: 503 }));
    const { alertId } = await fire([await hook()]);
    for (let failed = 1; failed <= 7; failed += 1)
      await passTo(await only(alertId, ({ status, attempts }) => status === 'retrying' && attempts === failed));
    const dead = await only(alertId, ({ status }) => status === 'dead');
    expect(dead).toMatchObject({ reason: 'attempts_exhausted', attempts: 8 });
    expect(await scene.world().timeline(alertId)).toMatchObject([{ kind: 'delivery_dead', reason: 'attempts_exhausted' }]);

    scene.receiver().respondWith(() => ({ status: 200 }));
    const { db, tenantId } = scene.world();
    await withTenant(db, tenantId, async (tx) => {
      expect(await lockDelivery(tx, tenantId, dead.id)).toEqual({ status: 'dead', kind: 'fired', channelEnabled: true });
      await reopenDelivery(tx, tenantId, dead.id, 24 * HOUR);
    });
    await poke(dead.id);
    await only(alertId, ({ status }) => status === 'delivered');
    expect(scene.receiver().requests).toHaveLength(9);
    expect(new Set(scene.receiver().requests.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
    await withTenant(db, tenantId, async (tx) => {
      expect(await lockDelivery(tx, tenantId, dead.id)).toEqual({ status: 'delivered', kind: 'fired', channelEnabled: true });
      expect(await lockDelivery(tx, tenantId, newId())).toBeNull();
    });
  });

  test('what is unsent a day after its trigger is given up', async () => {
    scene.receiver().respondWith(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
    const { alertId } = await fire([await hook()]);
    for (let hour = 1; hour <= 3; hour += 1)
      await passTo(await only(alertId, ({ status, attempts }) => status === 'retrying' && attempts === hour));
    const row = await only(alertId, ({ attempts, status }) => attempts === 4 && status === 'retrying');
    scene.world().db.clock.shiftMs += 21 * HOUR;
    await poke(row.id);
    expect(await only(alertId, ({ status }) => status === 'dead')).toMatchObject({ reason: 'expired', attempts: 4, countedAttempts: 0 });
  });

  test.each([400, 404, 422])('%i is final at once', async (status) => {
    scene.receiver().respondWith(() => ({ status }));
    const { alertId } = await fire([await hook()]);
    expect(await only(alertId, (row) => row.status === 'dead')).toMatchObject({ reason: `http_${status}`, attempts: 1 });
  });

  test('410 switches the channel off and says so', async () => {
    scene.receiver().respondWith(() => ({ status: 410 }));
    const channel = await hook();
    const { ruleId, alertId } = await fire([channel]);
    await only(alertId, ({ status }) => status === 'dead');
    const [row] = await scene
      .world()
      .inTenant((sql) => sql`select enabled, disabled_reason, last_error, last_used_at from channels where key = ${channel}`);
    expect(row).toMatchObject({ enabled: false, disabled_reason: 'http_410', last_error: 'http_410', last_used_at: expect.any(Number) });
    const audits = await scene
      .world()
      .inTenant((sql) => sql`select actor, action, data from audit_events where data ->> 'key' = ${channel}`);
    expect(audits).toMatchObject([{ actor: 'dispatcher', action: 'channel.disabled', data: { reason: 'http_410' } }]);
    expect((await scene.world().timeline(alertId)).map(({ kind }) => kind).sort()).toEqual(['channel_disabled', 'delivery_dead']);
    const notices = await scene.world().inTenant((sql) => sql`select body from inbox where body ->> 'channel' = ${channel}`);
    expect(notices).toMatchObject([{ body: { kind: 'channel_disabled', reason: 'http_410' } }]);

    const next = await scene.world().alert(ruleId);
    await scene.hint(await scene.world().trigger(ruleId, next, 'fired'));
    expect(await only(next, ({ status }) => status === 'suppressed')).toMatchObject({ reason: 'channel_disabled', attempts: 0 });
  });

  test('410 from an address that has been replaced meanwhile does not switch the channel off', async () => {
    const channel = await hook();
    scene.receiver().respondWith(async () => {
      await scene.world().inTenant((sql) => sql`update channels set version = version + 1 where key = ${channel}`);
      return { status: 410 };
    });
    const { alertId } = await fire([channel]);
    await only(alertId, ({ status }) => status === 'dead');
    expect(await scene.world().inTenant((sql) => sql`select enabled from channels where key = ${channel}`)).toMatchObject([
      { enabled: true },
    ]);
  });

  test('an end that was woken by its beginning and is put off is hinted again, as any is', async () => {
    const answers = [{ status: 500 }, { status: 200 }, { status: 429, headers: { 'retry-after': '1' } }];
    scene.receiver().respondWith((_request, index) => answers[index] ?? { status: 200 });
    const { ruleId, alertId } = await fire([await hook()]);
    const fired = await only(alertId, ({ status }) => status === 'retrying');
    await scene.hint(await scene.world().trigger(ruleId, alertId, 'resolved'));
    await scene.settled(alertId, (rows) => rows.some(({ kind, nextInMs }) => kind === 'resolved' && nextInMs > fired.nextInMs));
    await passTo(fired);
    // before the hint that made it wait comes back
    await scene.settled(alertId, (rows) => rows.every(({ status, attempts }) => status === 'delivered' && attempts === 2), 7_000);
  });

  test('a network that fails is tried again', async () => {
    scene.receiver().respondWith((_request, index) => (index === 0 ? { hangUp: true } : { status: 204 }));
    const { alertId } = await fire([await hook()]);
    await passTo(await only(alertId, ({ status }) => status === 'retrying'));
    const row = await only(alertId, ({ status }) => status === 'delivered');
    expect((await scene.world().attempts(row.id)).map(({ outcome }) => outcome)).toEqual(['retry', 'delivered']);
  });
});
