import { openOutbound } from '@tocsin/runtime';
import { describeQueues, passTime, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { claimDueSlots, startEvaluator } from '../index.ts';
import { addRule, openStage, tenantWith, type Stage } from '../../test/stage.ts';
import { startHeartbeat } from './start-heartbeat.ts';

describeQueues('the heartbeat', (backend) => {
  let stage: Stage;
  let receiver: WebhookReceiver;
  const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });
  beforeAll(async () => {
    stage = await openStage(backend);
  });
  afterAll(async () => {
    await outbound.close();
    await stage.close();
  });
  beforeEach(async () => {
    receiver = await webhookReceiver();
  });
  afterEach(async () => {
    await receiver.close();
    await stage.clear();
  });

  const start = (path = '/ping/secret') => startHeartbeat({ ...stage.deps, outbound }, { url: `${receiver.url}${path}`, everyMs: 20 });
  const results = async (): Promise<Record<string, number>> =>
    Object.fromEntries((await stage.deps.metrics.heartbeats.get()).values.map(({ labels, value }) => [String(labels.result), value]));
  /** The next call that comes after now. */
  const beats = async (): Promise<void> => {
    const before = receiver.requests.length;
    await vi.waitFor(() => expect(receiver.requests.length).toBeGreaterThan(before), 10_000);
  };
  const withheld = async (): Promise<void> => {
    const before = (await results())['withheld'] ?? 0;
    await vi.waitFor(async () => expect((await results())['withheld'] ?? 0).toBeGreaterThan(before + 1), 10_000);
  };

  test('stops when nobody evaluates, and comes again when somebody does', async () => {
    const tenantId = await tenantWith(stage.db, 60_000);
    await addRule(stage.db, tenantId);
    const heart = start();
    try {
      await beats();
      expect(receiver.requests[0]).toMatchObject({ method: 'GET', path: '/ping/secret' });
      await passTime(stage.db, 61_000);
      await claimDueSlots(stage.deps);
      await beats();
      // The slot is claimed in time, and its run waits: a minute later that is no longer the course of things.
      await passTime(stage.db, 61_000);
      await claimDueSlots(stage.deps);
      await withheld();
      const silentAt = receiver.requests.length;
      await withheld();
      expect(receiver.requests.length).toBe(silentAt);

      const evaluator = startEvaluator(stage.deps);
      try {
        await evaluator.ready();
        await beats();
      } finally {
        await evaluator.close();
      }
    } finally {
      await heart.close();
    }
  });

  test('is one process’s at a time, and another’s when that ends', async () => {
    const paths = (): string[] => [...new Set(receiver.requests.map(({ path }) => path))];
    const first = start('/first');
    await beats();
    const second = start('/second');
    await beats();
    await beats();
    expect(paths()).toEqual(['/first']);
    await first.close();
    await vi.waitFor(() => expect(paths()).toEqual(['/first', '/second']), 10_000);
    await second.close();
  });

  test('that is not accepted is counted, and says nothing of the address', async () => {
    receiver.respondWith(() => ({ status: 404 }));
    const heart = start();
    const before = (await results())['failed'] ?? 0;
    await vi.waitFor(async () => expect((await results())['failed'] ?? 0).toBeGreaterThan(before), 10_000);
    await heart.close();
  });
});
