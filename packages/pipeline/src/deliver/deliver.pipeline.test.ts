import { randomBytes } from 'node:crypto';
import { newId } from '@tocsin/db';
import { deliver, dispatchTrigger } from '@tocsin/queue';
import { describeQueues, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { deliveryWorld, type DeliveryRow, type DeliveryWorld } from '../../test/delivery-world.ts';
import { startDispatcher, type Dispatcher } from '../dispatch/start-dispatcher.ts';
import { openLanes } from './lanes.ts';
import { prepare } from './prepare.ts';
import { retryDelivery } from './retry-delivery.ts';
import { testChannel } from './test-channel.ts';

const HOUR = 3_600_000;

describeQueues('delivering', (backend) => {
  let world: DeliveryWorld;
  let dispatcher: Dispatcher;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    world = await deliveryWorld(backend);
    dispatcher = startDispatcher(world.deps);
    await dispatcher.ready();
  });
  afterAll(async () => {
    await dispatcher.close();
    await world.close();
  });
  beforeEach(async () => {
    receiver = await webhookReceiver();
  });
  afterEach(async () => {
    world.db.clock.shiftMs = 0;
    await receiver.close();
  });

  const key = (name: string): string => `${name}-${randomBytes(4).toString('hex')}`;
  const hook = async (config: Record<string, unknown> = {}): Promise<string> => {
    const channel = key('hook');
    await world.channel(channel, 'webhook', { url: `${receiver.url}/in`, ...config });
    return channel;
  };
  const fire = async (channels: string[]): Promise<{ ruleId: string; alertId: string }> => {
    const ruleId = await world.rule(channels, { annotations: { summary: 'p95 is {{ value }}, {{ nonsense }}' } });
    const alertId = await world.alert(ruleId);
    await tell(ruleId, alertId, 'fired');
    return { ruleId, alertId };
  };
  const tell = async (ruleId: string, alertId: string, kind: 'fired' | 'resolved'): Promise<void> =>
    world.deps.queues.producer(dispatchTrigger).send(await world.trigger(ruleId, alertId, kind));
  const poke = (deliveryId: string): Promise<void> =>
    world.deps.queues.producer(deliver).send({ tenantId: world.tenantId, deliveryId }, { evenIfKnown: true });
  /** Waits until the alert's deliveries satisfy a claim, and answers them. */
  const settled = (alertId: string, claim: (rows: DeliveryRow[]) => boolean): Promise<DeliveryRow[]> =>
    vi.waitFor(
      async () => {
        const rows = await world.deliveries(alertId);
        if (!claim(rows)) throw new Error(`not yet: ${JSON.stringify(rows)}`);
        return rows;
      },
      { timeout: 15_000, interval: 20 },
    );
  const only = async (alertId: string, claim: (row: DeliveryRow) => boolean): Promise<DeliveryRow> => {
    const [row] = await settled(alertId, (rows) => rows.length === 1 && rows.every(claim));
    if (row === undefined) throw new Error('no delivery');
    return row;
  };
  /** Lets the database's clock pass the next attempt, and hints as the sweep would. */
  const passTo = async (row: DeliveryRow): Promise<void> => {
    world.db.clock.shiftMs += Math.ceil(Math.max(0, row.nextInMs)) + 1;
    await poke(row.id);
  };

  test('a trigger is one request under the id of its delivery, however often it is hinted', async () => {
    const { ruleId, alertId } = await fire([await hook()]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    const trigger = {
      tenantId: world.tenantId,
      triggerId: (await world.inTenant((sql) => sql`select id from triggers where alert_id = ${alertId}`))[0]?.['id'],
    };
    for (let again = 0; again < 3; again += 1) await world.deps.queues.producer(dispatchTrigger).send(trigger, { evenIfKnown: true });
    for (let again = 0; again < 3; again += 1) await poke(row.id);
    const later = await fire([await hook()]);
    await only(later.alertId, ({ status }) => status === 'delivered');

    const requests = receiver.requests.filter(({ headers }) => headers['webhook-id'] === row.id);
    expect(requests).toHaveLength(1);
    expect(requests[0]?.body).toBe(row.body);
    expect(JSON.parse(row.body ?? '')).toMatchObject({
      id: row.id,
      type: 'alert.fired',
      tenant: { id: world.tenantId, externalKey: world.externalKey },
      data: {
        alert: { id: alertId, value: 2_000, url: `https://tocsin.example/alerts/${alertId}` },
        rule: { id: ruleId, key: 'checkout-p95' },
        context: { summary: 'p95 is 2,000 ms, {{ nonsense }}' },
      },
    });
    expect(await world.attempts(row.id)).toMatchObject([{ number: 1, outcome: 'delivered', statusCode: 200, reason: null }]);
    expect(await world.timeline(alertId)).toMatchObject([{ kind: 'delivery_delivered', actor: 'dispatcher' }]);
  });

  test('a receiver that fails five times and then answers: one delivery, six attempts with their times, the same id and bytes', async () => {
    receiver.respondWith((_request, index) => ({ status: index < 5 ? 500 : 200 }));
    const { alertId } = await fire([await hook()]);
    for (let failed = 1; failed <= 5; failed += 1) {
      const row = await only(alertId, ({ status, attempts }) => status === 'retrying' && attempts === failed);
      expect(row.reason).toBe('http_500');
      const nominalMs = 5_000 * 4 ** (failed - 1);
      expect(row.nextInMs).toBeGreaterThan(nominalMs * 0.8 - 5_000 * Number(failed > 1) - 1_000);
      expect(row.nextInMs).toBeLessThanOrEqual(nominalMs * 1.2);
      await passTo(row);
    }
    const row = await only(alertId, ({ status }) => status === 'delivered');
    const attempts = await world.attempts(row.id);
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
    expect(receiver.requests).toHaveLength(6);
    expect(new Set(receiver.requests.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
    expect(new Set(receiver.requests.map(({ headers }) => headers['webhook-signature'])).size).toBe(6);
  });

  test('429 with Retry-After: 3 is never earlier, and is not counted', async () => {
    receiver.respondWith((_request, index) => (index === 0 ? { status: 429, headers: { 'retry-after': '3' } } : { status: 200 }));
    const { alertId } = await fire([await hook()]);
    const row = await only(alertId, ({ status }) => status === 'retrying');
    expect(row).toMatchObject({ reason: 'http_429', attempts: 1, countedAttempts: 0 });

    await poke(row.id);
    world.db.clock.shiftMs += Math.floor(row.nextInMs) - 1_000;
    await poke(row.id);
    await only((await fire([await hook()])).alertId, ({ status }) => status === 'delivered');
    expect(await world.attempts(row.id)).toHaveLength(1);

    await passTo(await only(alertId, () => true));
    await only(alertId, ({ status }) => status === 'delivered');
    const [first, second] = await world.attempts(row.id);
    expect(first).toMatchObject({ outcome: 'retry', retryAfterMs: 3_000 });
    expect((second?.startedMs ?? 0) - (first?.startedMs ?? 0)).toBeGreaterThanOrEqual(3_000);
  });

  test('eight attempts that count, then it is dead; retried by hand it goes out with the same id and body', async () => {
    receiver.respondWith(() => ({ status: 503 }));
    const { alertId } = await fire([await hook()]);
    for (let failed = 1; failed <= 7; failed += 1)
      await passTo(await only(alertId, ({ status, attempts }) => status === 'retrying' && attempts === failed));
    const dead = await only(alertId, ({ status }) => status === 'dead');
    expect(dead).toMatchObject({ reason: 'attempts_exhausted', attempts: 8 });
    expect(await world.timeline(alertId)).toMatchObject([{ kind: 'delivery_dead', reason: 'attempts_exhausted' }]);

    receiver.respondWith(() => ({ status: 200 }));
    const ref = { tenantId: world.tenantId, deliveryId: dead.id };
    expect(await retryDelivery(world.deps, ref)).toBe('reopened');
    await only(alertId, ({ status }) => status === 'delivered');
    expect(receiver.requests).toHaveLength(9);
    expect(new Set(receiver.requests.map(({ headers, body }) => `${String(headers['webhook-id'])} ${body}`)).size).toBe(1);
    expect(await retryDelivery(world.deps, ref)).toBe('not_dead');
    expect(await retryDelivery(world.deps, { ...ref, deliveryId: newId() })).toBe('not_found');
  });

  test('what is unsent a day after its trigger is given up', async () => {
    receiver.respondWith(() => ({ status: 429, headers: { 'retry-after': '3600' } }));
    const { alertId } = await fire([await hook()]);
    for (let hour = 1; hour <= 3; hour += 1)
      await passTo(await only(alertId, ({ status, attempts }) => status === 'retrying' && attempts === hour));
    const row = await only(alertId, ({ attempts, status }) => attempts === 4 && status === 'retrying');
    world.db.clock.shiftMs += 21 * HOUR;
    await poke(row.id);
    expect(await only(alertId, ({ status }) => status === 'dead')).toMatchObject({ reason: 'expired', attempts: 4, countedAttempts: 0 });
  });

  test.each([400, 404, 422])('%i is final at once', async (status) => {
    receiver.respondWith(() => ({ status }));
    const { alertId } = await fire([await hook()]);
    expect(await only(alertId, (row) => row.status === 'dead')).toMatchObject({ reason: `http_${status}`, attempts: 1 });
  });

  test('410 switches the channel off and says so', async () => {
    receiver.respondWith(() => ({ status: 410 }));
    const channel = await hook();
    const { ruleId, alertId } = await fire([channel]);
    await only(alertId, ({ status }) => status === 'dead');
    const [row] = await world.inTenant(
      (sql) => sql`select enabled, disabled_reason, last_error, last_used_at from channels where key = ${channel}`,
    );
    expect(row).toMatchObject({ enabled: false, disabled_reason: 'http_410', last_error: 'http_410', last_used_at: expect.any(Number) });
    const audits = await world.inTenant((sql) => sql`select actor, action, data from audit_events where data ->> 'key' = ${channel}`);
    expect(audits).toMatchObject([{ actor: 'dispatcher', action: 'channel.disabled', data: { reason: 'http_410' } }]);
    expect((await world.timeline(alertId)).map(({ kind }) => kind).sort()).toEqual(['channel_disabled', 'delivery_dead']);
    const notices = await world.inTenant((sql) => sql`select body from inbox where body ->> 'channel' = ${channel}`);
    expect(notices).toMatchObject([{ body: { kind: 'channel_disabled', reason: 'http_410' } }]);

    const next = await world.alert(ruleId);
    await tell(ruleId, next, 'fired');
    expect(await only(next, ({ status }) => status === 'suppressed')).toMatchObject({ reason: 'channel_disabled', attempts: 0 });
  });

  test('410 from an address that has been replaced meanwhile does not switch the channel off', async () => {
    const channel = await hook();
    receiver.respondWith(async () => {
      await world.inTenant((sql) => sql`update channels set version = version + 1 where key = ${channel}`);
      return { status: 410 };
    });
    const { alertId } = await fire([channel]);
    await only(alertId, ({ status }) => status === 'dead');
    expect(await world.inTenant((sql) => sql`select enabled from channels where key = ${channel}`)).toMatchObject([{ enabled: true }]);
  });

  test('a send that a shutdown gives up does not count, and comes again', async () => {
    const mine = await deliveryWorld(backend);
    const short = startDispatcher(mine.deps);
    try {
      await short.ready();
      receiver.respondWith(() => new Promise(() => undefined));
      await mine.channel('hook', 'webhook', { url: receiver.url });
      const ruleId = await mine.rule(['hook']);
      const alertId = await mine.alert(ruleId);
      await mine.deps.queues.producer(dispatchTrigger).send(await mine.trigger(ruleId, alertId, 'fired'));
      await receiver.next();
      await short.close(50);
      expect(await mine.deliveries(alertId)).toMatchObject([{ status: 'retrying', reason: 'aborted', attempts: 1, countedAttempts: 0 }]);
    } finally {
      await mine.close();
    }
  });

  test('a network that fails is tried again', async () => {
    receiver.respondWith((_request, index) => (index === 0 ? { hangUp: true } : { status: 204 }));
    const { alertId } = await fire([await hook()]);
    await passTo(await only(alertId, ({ status }) => status === 'retrying'));
    const row = await only(alertId, ({ status }) => status === 'delivered');
    expect((await world.attempts(row.id)).map(({ outcome }) => outcome)).toEqual(['retry', 'delivered']);
  });

  test('an attempt whose sender died stays without outcome, and is sent again with the same id and bytes', async () => {
    receiver.respondWith(() => ({ status: 500 }));
    const { alertId } = await fire([await hook()]);
    const failed = await only(alertId, ({ status }) => status === 'retrying');
    world.db.clock.shiftMs += Math.ceil(failed.nextInMs) + 1;
    const deps = { ...world.deps, lanes: openLanes({ total: 9, perChannel: 9 }, Date.now), giveUp: new AbortController().signal };
    const ref = { tenantId: world.tenantId, deliveryId: failed.id };
    const [one, other] = await Promise.all([prepare(deps, ref), prepare(deps, ref)]);
    expect([one.kind, other.kind].sort()).toEqual(['not_now', 'send']);

    receiver.respondWith(() => ({ status: 200 }));
    await poke(failed.id);
    await only((await fire([await hook()])).alertId, ({ status }) => status === 'delivered');
    expect(await only(alertId, () => true)).toMatchObject({ status: 'sending', attempts: 2 });

    world.db.clock.shiftMs += 61_000;
    await poke(failed.id);
    await only(alertId, ({ status }) => status === 'delivered');
    expect((await world.attempts(failed.id)).map(({ outcome }) => outcome)).toEqual(['retry', null, 'delivered']);
    const mine = receiver.requests.filter(({ headers }) => headers['webhook-id'] === failed.id);
    expect(new Set(mine.map(({ body }) => body)).size).toBe(1);
  });

  test('a channel that hangs holds no other', async () => {
    const stuck = await webhookReceiver();
    const hanging = key('hanging');
    await world.channel(hanging, 'webhook', { url: `${stuck.url}/in` });
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
      expect(receiver.requests).toHaveLength(40);
    } finally {
      release();
      await stuck.close();
    }
  });

  test('two dispatchers at once make one request of each delivery', async () => {
    const second = startDispatcher(await world.openDeps());
    try {
      await second.ready();
      const channel = await hook();
      const alerts = await Promise.all(Array.from({ length: 30 }, () => fire([channel])));
      for (const { alertId } of alerts) {
        const { id } = await only(alertId, ({ attempts }) => attempts >= 0);
        await Promise.all([poke(id), poke(id)]);
      }
      for (const { alertId } of alerts) expect(await only(alertId, ({ status }) => status === 'delivered')).toMatchObject({ attempts: 1 });
      expect(receiver.requests).toHaveLength(30);
    } finally {
      await second.close();
    }
  });

  test('a message to the inbox is there once, however often its delivery is sent', async () => {
    const channel = key('inbox');
    await world.channel(channel, 'inbox');
    const { alertId } = await fire([channel]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    await world.inTenant((sql) => sql`update deliveries set status = 'pending', next_attempt_at = tocsin_now() where id = ${row.id}`);
    await poke(row.id);
    await only(alertId, ({ status, attempts }) => status === 'delivered' && attempts === 2);
    const messages = await world.inTenant((sql) => sql`select title, body, alert_id from inbox where delivery_id = ${row.id}`);
    expect(messages).toMatchObject([{ title: 'Critical · Checkout latency', alert_id: alertId, body: { kind: 'fired' } }]);
  });

  test('Slack is told through its own library, with the bytes that were frozen', async () => {
    const channel = key('slack');
    await world.channel(channel, 'slack', { webhookUrl: `${receiver.url}/services/T0/B0/s3cretpath` });
    const { alertId } = await fire([channel]);
    const row = await only(alertId, ({ status }) => status === 'delivered');
    expect(receiver.requests.map(({ body, path }) => [path, body])).toEqual([['/services/T0/B0/s3cretpath', row.body]]);
    expect(JSON.parse(row.body ?? '')).toMatchObject({ blocks: expect.any(Array), text: expect.stringContaining('Checkout latency') });
  });

  test('secrets are in no row but the sealed one and in no log line, even when the receiver answers with them', async () => {
    const [path, header, signing] = [
      's3cret-path-canary',
      's3cret-header-canary',
      Buffer.from('s3cret-signing-canary-24').toString('base64'),
    ] as const;
    receiver.respondWith((request) => ({
      status: 500,
      body: `${JSON.stringify(request.headers)} ${request.path.includes(path) ? path : `${header} ${signing}`}`,
    }));
    const hookKey = await hook({ headers: { authorization: `Bearer ${header}` }, secret: `whsec_${signing}` });
    const slackKey = key('slack');
    const slackId = await world.channel(slackKey, 'slack', { webhookUrl: `${receiver.url}/services/${path}` });
    const { alertId } = await fire([hookKey, slackKey]);
    const rows = await settled(alertId, (found) => found.length === 2 && found.every(({ status }) => status === 'retrying'));
    await testChannel(world.deps, { tenantId: world.tenantId, channelId: slackId });

    expect(receiver.requests.map((request) => request.headers['authorization'] ?? request.path).sort()).toEqual([
      `/services/${path}`,
      `/services/${path}`,
      `Bearer ${header}`,
    ]);
    const attempts = await world.attempts(rows[0]?.id ?? '');
    expect(attempts[0]?.responseExcerpt).toContain('••••');
    const tables = ['deliveries', 'delivery_attempts', 'channels', 'alert_events', 'audit_events', 'inbox', 'triggers', 'alerts'];
    const written = [world.log.join('')];
    for (const table of tables)
      written.push(JSON.stringify(await world.inTenant((sql) => sql`select to_jsonb(t) - 'secrets' as row from ${sql(table)} t`)));
    for (const word of [path, header, signing]) expect(written.join('\n')).not.toContain(word);
  });

  test('a channel whose secrets cannot be opened is dead by name, and sends nothing', async () => {
    const channel = await hook();
    await world.inTenant(
      (sql) =>
        sql`update channels set secrets = (select secrets from channels other where other.key <> ${channel} and other.kind = 'webhook' limit 1) where key = ${channel}`,
    );
    const { alertId } = await fire([channel]);
    expect(await only(alertId, ({ status }) => status === 'dead')).toMatchObject({ reason: 'secrets_unreadable' });
    expect(receiver.requests).toHaveLength(0);
  });

  test('a test goes the way of real messages, once, and says how it went', async () => {
    const channelKey = key('hook');
    const channelId = await world.channel(channelKey, 'webhook', { url: receiver.url });
    const ref = { tenantId: world.tenantId, channelId };
    expect(await testChannel(world.deps, ref)).toMatchObject({
      outcome: 'delivered',
      statusCode: 200,
      reason: null,
      durationMs: expect.any(Number),
    });
    expect(JSON.parse(receiver.requests[0]?.body ?? '')).toMatchObject({ type: 'test' });

    receiver.respondWith(() => ({ status: 500, body: 'out of order' }));
    await world.inTenant((sql) => sql`update channels set enabled = false where id = ${channelId}`);
    const failed = await testChannel(world.deps, ref);
    expect(failed).toMatchObject({ outcome: 'retry', statusCode: 500, reason: 'http_500', responseExcerpt: 'out of order' });
    const rows = await world.inTenant(
      (sql) => sql`select kind, status, reason, attempts, trigger_id from deliveries where channel_id = ${channelId} order by created_at`,
    );
    expect(rows).toEqual([
      { kind: 'test', status: 'delivered', reason: null, attempts: 1, trigger_id: null },
      { kind: 'test', status: 'dead', reason: 'http_500', attempts: 1, trigger_id: null },
    ]);
    expect(await testChannel(world.deps, { ...ref, channelId: newId() })).toBeNull();
  });
});
