import { type Deployment, describeQueues, newTenant, openDeployment, type WebhookReceiver, webhookReceiver } from '@tocsin/testkit';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fastSlots } from './fast-slots.ts';
import { broken, NOTHING_BROKEN } from './oracle.ts';

const SLOT_MS = 1_000;

describeQueues('the main job, each process on its own,', (backend) => {
  let deployment: Deployment;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = await webhookReceiver();
    deployment = await openDeployment(backend, { api: 1, scheduler: 1, evaluator: 2, dispatcher: 1 });
    await fastSlots(deployment, SLOT_MS);
  }, 120_000);
  afterAll(async () => {
    await deployment?.close();
    await receiver?.close();
  }, 90_000);

  test('takes events to one signed message when the rule fires and one when it resolves, and nothing twice', async () => {
    const { api, tenantId } = await newTenant(deployment.url, deployment.adminKey, 'acme');
    const secret = `whsec_${Buffer.from('a secret of twenty-four b').toString('base64')}`;
    await api.post('/api/v1/channels', {
      key: 'hook',
      name: 'Hook',
      kind: 'webhook',
      grouping: false,
      config: { url: `${receiver.url}/hook`, secret },
    });
    const slow = { name: 'llm.call', dims: { model: 'gpt-4o', status: 'ok' }, measures: { duration_ms: 2_000 } };
    expect(await api.post('/api/v1/events', { events: [slow] })).toMatchObject({ accepted: 1, rejected: [] });
    const rule = await api.post<{ id: string }>('/api/v1/rules', {
      key: 'slow',
      name: 'Slow calls',
      severity: 'critical',
      condition: { metric: 'latency', aggregation: 'p95', window: '10s', operator: '>', threshold: 1_000 },
      evaluationDelay: '0s',
      notify: [{ channel: 'hook' }],
    });

    const fired = await receiver.next(15_000);
    const verified = new Webhook(secret).verify(fired.body, fired.headers as Record<string, string>);
    expect(verified).toMatchObject({
      type: 'alert.fired',
      tenant: { id: tenantId, externalKey: 'acme' },
      data: {
        alert: {
          severity: 'critical',
          metric: 'latency',
          aggregation: 'p95',
          operator: '>',
          value: 2_000,
          threshold: 1_000,
          unit: 'ms',
          samples: 1,
        },
        rule: { id: rule.id, key: 'slow', name: 'Slow calls' },
      },
    });

    const quick = { ...slow, measures: { duration_ms: 100 } };
    await vi.waitFor(
      async () => {
        await api.post('/api/v1/events', { events: [quick] });
        expect(receiver.requests.length).toBe(2);
      },
      { timeout: 30_000, interval: 500 },
    );
    const resolved = await receiver.next();
    expect(new Webhook(secret).verify(resolved.body, resolved.headers as Record<string, string>)).toMatchObject({
      type: 'alert.resolved',
      data: { alert: { id: (verified as { data: { alert: { id: string } } }).data.alert.id, status: 'resolved' } },
    });

    const looksBefore = await evaluationCount(api, rule.id);
    await vi.waitFor(async () => expect(await evaluationCount(api, rule.id)).toBeGreaterThan(looksBefore + 2), {
      timeout: 15_000,
      interval: 200,
    });
    expect(receiver.requests.length).toBe(2);
    expect(await broken(deployment, SLOT_MS)).toEqual(NOTHING_BROKEN);

    expect(await api.get(`/api/v1/rules/${rule.id}`)).toMatchObject({ state: 'ok', health: 'ok', triggerCount: 1 });
    const { data: deliveries } = await api.get<{ data: { status: string }[] }>('/api/v1/deliveries');
    expect(deliveries.map((delivery) => delivery.status)).toEqual(['delivered', 'delivered']);
  }, 90_000);
});

async function evaluationCount(api: { get: <T>(path: string) => Promise<T> }, ruleId: string): Promise<number> {
  const { data } = await api.get<{ data: unknown[] }>(`/api/v1/rules/${ruleId}/evaluations?limit=200`);
  return data.length;
}
