import { Channel, DeliveriesReplayed, DeliveryDetail, Delivery, pageOf } from '@tocsin/contracts';
import { withTenantsSql } from '@tocsin/db';
import { FAILING_AFTER, RETRY } from '@tocsin/domain';
import { claimDueSlots, startDispatcher, startEvaluator } from '@tocsin/pipeline';
import { deliver, openQueues, type Queues } from '@tocsin/queue';
import { createLogger, openOutbound } from '@tocsin/runtime';
import { describeQueues, passTime, testQueue, webhookReceiver, type TestQueue, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type Actor, openWorld, type World } from './open-world.ts';

const HOUR_MS = 3_600_000;
const PATIENCE = { timeout: 45_000, interval: 20 };
const Deliveries = pageOf(Delivery);

interface Told {
  id: string;
  type: string;
  body: string;
}

describeQueues('a receiver that is down for a day', (backend) => {
  let [queue, queues]: [TestQueue | undefined, Queues | undefined] = [undefined, undefined];
  let world: World;
  let tenant: Actor;
  let [receiver, spare]: WebhookReceiver[] = [];
  let close: (() => Promise<unknown>)[];

  beforeAll(async () => {
    queue = await testQueue(backend);
    queues = await openQueues({ url: queue.url, logger: createLogger('test', 'silent') });
    [receiver, spare] = [await webhookReceiver(), await webhookReceiver()];
    const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });
    world = await openWorld({ queues, outbound });
    const { services } = world;
    // Every look at the metric breaches: one alert for each rule.
    const source = {
      read: (requests: readonly { queries: readonly unknown[] }[]) =>
        Promise.resolve(
          requests.map(({ queries }) =>
            queries.map(() => ({ kind: 'series' as const, series: [{ labels: {}, value: 2_000, samples: 9 }], dropped: 0 })),
          ),
        ),
    };
    const evaluator = startEvaluator({ ...services, source, histories: services.events });
    const dispatcher = startDispatcher(services);
    await Promise.all([evaluator.ready(), dispatcher.ready()]);
    tenant = await world.tenant();
    close = [evaluator.close, dispatcher.close, world.close, queues.close, outbound.close, receiver.close, spare.close, queue.close];
  });
  afterAll(async () => {
    world.services.db.clock.shiftMs = 0;
    for (const each of close) await each();
  });

  const hook = async (key: string, url: string, more: object = {}): Promise<string> => {
    const made = await tenant.ask('POST', '/channels', { key, name: key, kind: 'webhook', config: { url }, ...more });
    expect(made.status, made.text).toBe(201);
    return made.body.id;
  };
  const list = async (query: string): Promise<Delivery[]> => Deliveries.parse((await tenant.ask('GET', `/deliveries?${query}`)).body).data;
  const detail = async (id: string): Promise<DeliveryDetail> => DeliveryDetail.parse((await tenant.ask('GET', `/deliveries/${id}`)).body);
  const told = (by: WebhookReceiver): Told[] =>
    by.requests.map(({ headers, body }) => ({ id: String(headers['webhook-id']), type: (JSON.parse(body) as Told).type, body }));
  const settled = async (query: string, claim: (rows: Delivery[]) => boolean): Promise<Delivery[]> =>
    vi.waitFor(async () => {
      const rows = await list(query);
      expect(claim(rows), JSON.stringify(rows)).toBe(true);
      return rows;
    }, PATIENCE);
  /** Lets the database's clock pass to that instant, and hints these deliveries. */
  const passTo = async (at: string, ids: readonly string[]): Promise<void> => {
    const { services } = world;
    await passTime(services.db, Math.max(0, Date.parse(at) - (Date.now() + services.db.clock.shiftMs) + 1));
    for (const deliveryId of ids)
      await services.queues.producer(deliver).send({ tenantId: tenant.tenantId, deliveryId }, { evenIfKnown: true });
  };

  test('is tried to the schedule, its fallback is told, and a replay delivers each once, with its first key and bytes', async () => {
    await hook('spare', `${spare!.url}/in`);
    const mainId = await hook('main', `${receiver!.url}/in`, { fallback: 'spare' });
    receiver!.respondWith(() => ({ status: 503, body: 'down for maintenance' }));
    const from = new Date(Date.now() - 60_000).toISOString();
    for (const key of ['one', 'two', 'three']) {
      const rule = {
        key,
        name: key,
        condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 },
        every: '10s',
        notify: ['main'],
      };
      expect((await tenant.ask('POST', '/rules', rule)).status).toBe(201);
    }
    world.services.db.clock.shiftMs += 20_000;
    await vi.waitFor(async () => expect((await claimDueSlots(world.services)).runs).toBe(1), PATIENCE);
    let rows = await settled('channel=main', (found) => found.length === 3 && found.every(({ status }) => status === 'retrying'));
    // What is told is enough: later slots are of no matter.
    for (const { id } of (await tenant.ask('GET', '/rules')).body.data) {
      await withTenantsSql(world.services.db, [tenant.tenantId], (sql) => sql`update rules set enabled = false where id = ${id}`);
    }

    for (let made = 1; made < RETRY.maxCountedAttempts; made += 1) {
      for (const { nextAttemptAt, id } of rows) {
        await passTo(nextAttemptAt!, [id]);
        const ofIt = (found: Delivery[]): Delivery | undefined => found.find((each) => each.id === id);
        await settled('channel=main', (found) => ofIt(found)?.attempts === made + 1 && ofIt(found)?.status !== 'sending');
      }
      rows = await list('channel=main');
    }
    const dead = await settled('channel=main&status=dead', (found) => found.length === 3);
    expect(dead.map(({ reason, attempts }) => [reason, attempts])).toEqual(
      dead.map(() => ['attempts_exhausted', RETRY.maxCountedAttempts]),
    );

    for (const { id } of dead) {
      const { attemptLog } = await detail(id);
      expect(attemptLog).toHaveLength(RETRY.maxCountedAttempts);
      attemptLog.forEach((attempt, index) => {
        expect(attempt).toMatchObject({ number: index + 1, outcome: 'retry', statusCode: 503, responseExcerpt: 'down for maintenance' });
        expect(attempt.reasonText).toBe('the receiver answered 503: it is not available');
        expect(attempt.latencyMs).toBeGreaterThanOrEqual(0);
        const next = attemptLog[index + 1];
        if (next === undefined) return expect(attempt.nextAttemptAt).toBeNull();
        const waitMs = Date.parse(attempt.nextAttemptAt!) - Date.parse(attempt.finishedAt!);
        const nominalMs = Math.min(RETRY.firstDelayMs * RETRY.factor ** index, RETRY.maxDelayMs);
        expect(waitMs).toBeGreaterThanOrEqual(Math.floor(nominalMs * (1 - RETRY.jitter)));
        expect(waitMs).toBeLessThanOrEqual(Math.ceil(nominalMs * (1 + RETRY.jitter)));
        expect(Date.parse(next.startedAt)).toBeGreaterThanOrEqual(Date.parse(attempt.nextAttemptAt!));
      });
    }

    // The fallback heard of each alert once: of one with the news that the channel fails, long before anything was given up.
    const instead = await settled('channel=spare', (found) => found.length === 3 && found.every(({ status }) => status === 'delivered'));
    expect(new Set(instead.map(({ insteadOf }) => insteadOf))).toEqual(new Set(dead.map(({ id }) => id)));
    expect(
      told(spare!)
        .map(({ type }) => type)
        .toSorted(),
    ).toEqual(['alert.undelivered', 'alert.undelivered', 'channel.failing']);
    const failing = Channel.parse((await tenant.ask('GET', `/channels/${mainId}`)).body);
    expect(failing.health).toMatchObject({ state: 'failing', consecutiveFailures: 24, lastDeliveredAt: null, lastError: 'http_503' });
    expect(failing.health.consecutiveFailures).toBeGreaterThan(FAILING_AFTER);

    await passTime(world.services.db, 24 * HOUR_MS);
    const first = new Map(told(receiver!).map((each) => [each.id, each.body]));
    const before = receiver!.requests.length;
    receiver!.respondWith(() => ({ status: 200 }));
    const to = new Date(Date.now() + world.services.db.clock.shiftMs).toISOString();
    const set = { channel: 'main', from, to };
    const dry = DeliveriesReplayed.parse((await tenant.ask('POST', '/deliveries/replay', { ...set, dryRun: true })).body);
    expect(dry).toMatchObject({ dryRun: true, matched: 3, replayed: 3, refused: [], more: false });
    expect(await list('channel=main&status=dead')).toHaveLength(3);
    const replayed = await tenant.ask('POST', '/deliveries/replay', set);
    expect(replayed.status, replayed.text).toBe(202);
    expect(DeliveriesReplayed.parse(replayed.body)).toMatchObject({ dryRun: false, matched: 3, replayed: 3 });
    await settled('channel=main', (found) => found.every(({ status }) => status === 'delivered'));
    const again = told(receiver!).slice(before);
    expect(again.map(({ id }) => id).toSorted()).toEqual(dead.map(({ id }) => id).toSorted());
    for (const { id, body } of again) expect(body).toBe(first.get(id));
    expect(Channel.parse((await tenant.ask('GET', `/channels/${mainId}`)).body).health).toMatchObject({
      state: 'working',
      consecutiveFailures: 0,
      failingSince: null,
    });

    // Asked once more nothing is left; named, each is refused with a reason.
    expect((await tenant.ask('POST', '/deliveries/replay', set)).body).toMatchObject({ matched: 0, replayed: 0 });
    const named = await tenant.ask('POST', '/deliveries/replay', { ids: [dead[0]!.id] });
    expect(named.body).toMatchObject({ replayed: 0, refused: [{ id: dead[0]!.id, reason: 'not_dead' }] });
    expect(receiver!.requests).toHaveLength(before + 3);
  }, 60_000);
});
