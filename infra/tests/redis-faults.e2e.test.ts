import {
  type Deployment,
  openDeployment,
  redisProgram,
  redisServer,
  type RedisServer,
  type WebhookReceiver,
  webhookReceiver,
} from '@tocsin/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fastSlots } from './fast-slots.ts';
import { firingTenant } from './firing-tenant.ts';
import { broken, messagesById, NOTHING_BROKEN } from './oracle.ts';

const SLOT_MS = 1_000;
const CAUGHT_UP_MS = 30_000;

describe.skipIf(redisProgram === null)('when Redis loses what it held', () => {
  let redis: RedisServer;
  let deployment: Deployment;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    redis = await redisServer();
    receiver = await webhookReceiver();
    deployment = await openDeployment({ url: redis.url }, { api: 1, scheduler: 1, evaluator: 1, dispatcher: 1 });
    await fastSlots(deployment, SLOT_MS);
  }, 120_000);
  afterAll(async () => {
    await deployment?.close();
    await receiver?.close();
    await redis?.close();
  }, 90_000);

  test.for([
    ['flushed', () => redis.flush()],
    ['killed and started empty', () => redis.restart()],
  ] as const)('%s mid-flight: every message arrives once, within thirty seconds', { timeout: 120_000 }, async ([how, fault]) => {
    const tenants = Array.from({ length: 10 }, (_, index) => `${how.split(' ')[0]}-${index}`);
    await Promise.all(tenants.map((name) => firingTenant(deployment, receiver.url, name)));
    await fault();

    const fired = () =>
      receiver.requests.filter((request) => tenants.includes(request.path.slice(1)) && request.body.includes('"alert.fired"'));
    await vi.waitFor(() => expect(new Set(fired().map((request) => request.path)).size).toBe(tenants.length), {
      timeout: CAUGHT_UP_MS,
      interval: 100,
    });
    await vi.waitFor(async () => expect(await broken(deployment, SLOT_MS)).toEqual(NOTHING_BROKEN), {
      timeout: CAUGHT_UP_MS,
      interval: 250,
    });
    expect([...messagesById(fired()).values()].map((message) => message.sends)).toEqual(tenants.map(() => 1));
  });
});

describe.skipIf(redisProgram === null)('a Redis that may evict jobs', () => {
  test('is refused at boot, with the reason', async () => {
    const redis = await redisServer({ 'maxmemory-policy': 'allkeys-lru' });
    try {
      await expect(openDeployment({ url: redis.url }, { api: 0, scheduler: 1, evaluator: 0, dispatcher: 0 })).rejects.toThrow(/noeviction/);
    } finally {
      await redis.close();
    }
  }, 120_000);
});
