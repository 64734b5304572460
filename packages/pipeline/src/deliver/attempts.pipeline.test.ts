import { dispatchTrigger } from '@tocsin/queue';
import { describeQueues, webhookReceiver } from '@tocsin/testkit';
import { expect, test } from 'vitest';
import { deliveryScene } from '../../test/delivery-scene.ts';
import { deliveryWorld } from '../../test/delivery-world.ts';
import { startDispatcher } from '../dispatch/start-dispatcher.ts';
import { planTriggers } from '../dispatch/plan-triggers.ts';
import { openAttempts } from './attempts.ts';
import { openLanes } from './lanes.ts';
import { prepare } from './prepare.ts';
import { madeOf, settle } from './settle.ts';

describeQueues('attempting', (backend) => {
  const scene = deliveryScene(backend);
  const { hook, fire, poke, settled, only, key } = scene;

  test('a trigger is one request under the id of its delivery, however often it is hinted', async () => {
    const { ruleId, alertId } = await fire([await hook()]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    const trigger = {
      tenantId: scene.world().tenantId,
      triggerId: (await scene.world().inTenant((sql) => sql`select id from triggers where alert_id = ${alertId}`))[0]?.['id'],
    };
    for (let again = 0; again < 3; again += 1)
      await scene.world().deps.queues.producer(dispatchTrigger).send(trigger, { evenIfKnown: true });
    for (let again = 0; again < 3; again += 1) await poke(row.id);
    const later = await fire([await hook()]);
    await only(later.alertId, ({ status }) => status === 'delivered');

    const requests = scene.receiver().requests.filter(({ headers }) => headers['webhook-id'] === row.id);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.body).toBe(row.body);
    expect(JSON.parse(row.body ?? '')).toMatchObject({
      id: row.id,
      type: 'alert.fired',
      tenant: { id: scene.world().tenantId, externalKey: scene.world().externalKey },
      data: {
        alert: { id: alertId, value: 2_000, url: `https://tocsin.example/alerts/${alertId}` },
        rule: { id: ruleId, key: 'checkout-p95' },
        context: { summary: 'p95 is 2,000 ms, {{ nonsense }}' },
      },
    });
    expect(await scene.world().attempts(row.id)).toMatchObject([{ number: 1, outcome: 'delivered', statusCode: 200, reason: null }]);
    expect(await scene.world().timeline(alertId)).toMatchObject([{ kind: 'delivery_delivered', actor: 'dispatcher' }]);
  });

  test('a send that a shutdown gives up does not count, and comes again', async () => {
    const mine = await deliveryWorld(backend);
    const short = startDispatcher(mine.deps);
    try {
      await short.ready();
      scene.receiver().respondWith(() => new Promise(() => undefined));
      await mine.channel('hook', 'webhook', { url: scene.receiver().url });
      const ruleId = await mine.rule(['hook']);
      const alertId = await mine.alert(ruleId);
      await mine.deps.queues.producer(dispatchTrigger).send(await mine.trigger(ruleId, alertId, 'fired'));
      await scene.receiver().next();
      await short.close(50);
      expect(await mine.deliveries(alertId)).toMatchObject([{ status: 'retrying', reason: 'aborted', attempts: 1, countedAttempts: 0 }]);
    } finally {
      await mine.close();
    }
  });

  test('an attempt whose sender died stays without outcome, and is sent again with the same id and bytes', async () => {
    scene.receiver().respondWith(() => ({ status: 500 }));
    const { alertId } = await fire([await hook()]);
    const failed = await only(alertId, ({ status }) => status === 'retrying');
    scene.world().db.clock.shiftMs += Math.ceil(failed.nextInMs) + 1;
    const deps = {
      ...scene.world().deps,
      lanes: openLanes({ total: 9, perTenant: 9, perChannel: 9, inLine: 9 }, Date.now),
      giveUp: new AbortController().signal,
    };
    const wanted = { ref: { tenantId: scene.world().tenantId, deliveryId: failed.id }, place: null };
    const twice = await Promise.all([prepare(deps, [wanted]), prepare(deps, [wanted])]);
    expect(
      twice
        .flat()
        .map(({ kind }) => kind)
        .sort(),
    ).toEqual(['not_now', 'send']);

    scene.receiver().respondWith(() => ({ status: 200 }));
    await poke(failed.id);
    await only((await fire([await hook()])).alertId, ({ status }) => status === 'delivered');
    expect(await only(alertId, () => true)).toMatchObject({ status: 'sending', attempts: 2 });

    scene.world().db.clock.shiftMs += 11_000;
    await poke(failed.id);
    await only(alertId, ({ status }) => status === 'delivered');
    expect((await scene.world().attempts(failed.id)).map(({ outcome }) => outcome)).toEqual(['retry', null, 'delivered']);
    const mine = scene.receiver().requests.filter(({ headers }) => headers['webhook-id'] === failed.id);
    expect(new Set(mine.map(({ body }) => body)).size).toBe(1);
  });

  test('who has lost the lease writes no outcome: the holder of the newer one does', async () => {
    scene.receiver().respondWith(() => ({ status: 500 }));
    const { alertId } = await fire([await hook()]);
    const failed = await only(alertId, ({ status }) => status === 'retrying');
    const deps = {
      ...scene.world().deps,
      lanes: openLanes({ total: 9, perTenant: 9, perChannel: 9, inLine: 9 }, Date.now),
      giveUp: new AbortController().signal,
    };
    const { tenantId } = scene.world();
    const wanted = { ref: { tenantId, deliveryId: failed.id }, place: null };
    scene.world().db.clock.shiftMs += Math.ceil(failed.nextInMs) + 1;
    const [stale] = await prepare(deps, [wanted]);
    scene.world().db.clock.shiftMs += 11_000;
    const [fresh] = await prepare(deps, [wanted]);
    if (stale?.kind !== 'send' || fresh?.kind !== 'send') throw new Error('not leased');

    const answered = { statusCode: 200, responseExcerpt: null };
    expect(await settle(deps, [madeOf(stale, { outcome: 'delivered', ...answered })])).toEqual([null]);
    expect(await only(alertId, () => true)).toMatchObject({ status: 'sending', attempts: 3 });
    expect(await settle(deps, [madeOf(fresh, { outcome: 'delivered', ...answered })])).toMatchObject([
      { outcome: { status: 'delivered' } },
    ]);
    expect(await settle(deps, [madeOf(fresh, { outcome: 'rejected', reason: 'late', disable: false, ...answered })])).toEqual([null]);
    expect(await only(alertId, () => true)).toMatchObject({ status: 'delivered' });
    expect((await scene.world().attempts(failed.id)).map(({ outcome }) => outcome)).toEqual(['retry', null, 'delivered']);
  });

  test('an outcome that cannot be written while the database is away is written when it is back: nothing is sent again', async () => {
    const { db, deps, tenantId } = scene.world();
    let isAway = false;
    let waits = 0;
    const gone = Object.assign(new Error('gone'), { code: 'ECONNREFUSED' });
    const begin = (work: Parameters<typeof db.sql.begin>[1]): Promise<unknown> =>
      isAway ? Promise.reject(gone) : (db.sql.begin as (each: typeof work) => Promise<unknown>)(work);
    const sleep = async (ms: number, signal: AbortSignal): Promise<void> => {
      // the lease is not renewed, and its end passes many times over
      if (ms >= 3_000) return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
      if ((waits += 1) === 200) isAway = false;
    };
    scene.receiver().respondWith(() => {
      isAway = true;
      return { status: 200 };
    });
    const ruleId = await scene.world().rule([await hook()]);
    const alertId = await scene.world().alert(ruleId);
    const { triggerId } = await scene.world().trigger(ruleId, alertId, 'fired');
    const away = {
      ...deps,
      db: { ...db, sql: Object.assign(() => undefined, { begin }) as unknown as typeof db.sql },
      clock: { ...deps.clock, sleep },
      lanes: openLanes({ total: 9, perTenant: 9, perChannel: 9, inLine: 9 }, Date.now),
      giveUp: new AbortController().signal,
    };
    const { prepared } = await planTriggers(away, [{ tenantId, triggerId }]);
    await Promise.all(prepared.map((each) => openAttempts(away).send(each)));
    expect(waits).toBeGreaterThanOrEqual(200);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    expect(await scene.world().attempts(row.id)).toMatchObject([{ number: 1, outcome: 'delivered' }]);
    expect(scene.receiver().requests).toHaveLength(1);
  });

  test('a channel that hangs holds no other', async () => {
    const stuck = await webhookReceiver();
    const hanging = key('hanging');
    await scene.world().channel(hanging, 'webhook', { url: `${stuck.url}/in` });
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    stuck.respondWith(() => released.then(() => ({ status: 200 })));
    try {
      const good = await hook();
      const alerts = await Promise.all(Array.from({ length: 40 }, () => fire([hanging, good])));
      for (const { alertId } of alerts) {
        const rows = await settled(alertId, (found) =>
          found.some(({ channelKey, status }) => channelKey === good && status === 'delivered'),
        );
        expect(rows.find(({ channelKey }) => channelKey === hanging)?.status).not.toBe('delivered');
      }
      expect(stuck.requests.length).toBeLessThanOrEqual(16);
      expect(scene.receiver().requests).toHaveLength(40);
    } finally {
      release();
      await stuck.close();
    }
  });

  test('two dispatchers at once make one request of each delivery', async () => {
    const second = startDispatcher(await scene.world().openDeps());
    try {
      await second.ready();
      const channel = await hook();
      const alerts = await Promise.all(Array.from({ length: 30 }, () => fire([channel])));
      for (const { alertId } of alerts) {
        const { id } = await only(alertId, ({ attempts }) => attempts >= 0);
        await Promise.all([poke(id), poke(id)]);
      }
      for (const { alertId } of alerts) expect(await only(alertId, ({ status }) => status === 'delivered')).toMatchObject({ attempts: 1 });
      expect(scene.receiver().requests).toHaveLength(30);
    } finally {
      await second.close();
    }
  });
});
