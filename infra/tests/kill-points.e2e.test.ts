import { type App, type Deployment, describeQueues, openDeployment, type WebhookReceiver, webhookReceiver } from '@tocsin/testkit';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fastSlots } from './fast-slots.ts';
import { firingTenant } from './firing-tenant.ts';
import { broken, messagesById, NOTHING_BROKEN } from './oracle.ts';

const SLOT_MS = 1_000;

/** Each is a moment at which a process may die; after `dispatcher.after-response` alone the receiver may hear twice. */
const POINTS: readonly { app: App; point: string; sends: number }[] = [
  { app: 'scheduler', point: 'scheduler.after-claim', sends: 1 },
  { app: 'scheduler', point: 'scheduler.before-commit', sends: 1 },
  { app: 'scheduler', point: 'scheduler.after-commit', sends: 1 },
  { app: 'evaluator', point: 'evaluator.after-lease', sends: 1 },
  { app: 'evaluator', point: 'evaluator.mid-transaction', sends: 1 },
  { app: 'evaluator', point: 'evaluator.after-commit', sends: 1 },
  { app: 'dispatcher', point: 'dispatcher.attempt-written', sends: 1 },
  { app: 'dispatcher', point: 'dispatcher.after-response', sends: 2 },
];

describeQueues('kill -9 at a named point', (backend) => {
  let deployment: Deployment;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = await webhookReceiver();
    deployment = await openDeployment(backend, { api: 1, scheduler: 1, evaluator: 1, dispatcher: 1 });
    await fastSlots(deployment, SLOT_MS);
  }, 120_000);
  afterAll(async () => {
    await deployment?.close();
    await receiver?.close();
  }, 90_000);

  test.for(POINTS)('$point loses nothing and doubles no alert', { timeout: 120_000 }, async ({ app, point, sends }) => {
    await Promise.all(deployment.running(app).map((running) => running.stop()));
    const doomed = await deployment.start(app, { TOCSIN_FAULT_POINT: point });
    const { api } = await firingTenant(deployment, receiver.url, point);
    expect(await doomed.exited, doomed.output()).toBe('SIGKILL');
    await deployment.start(app);

    const received = () => [...messagesById(receiver.requests.filter((request) => request.path === `/${point}`)).values()];
    await vi.waitFor(() => expect(received().length).toBe(2), { timeout: 60_000, interval: 100 });
    await vi.waitFor(async () => expect(await broken(deployment, SLOT_MS)).toEqual(NOTHING_BROKEN), { timeout: 30_000, interval: 250 });

    expect(received().map((message) => (JSON.parse(message.body) as { type: string }).type)).toEqual(['alert.fired', 'alert.resolved']);
    expect(received().map((message) => message.sends)).toEqual([sends, 1]);
    const { data: alerts } = await api.get<{ data: { status: string }[] }>('/api/v1/alerts');
    expect(alerts.map((alert) => alert.status)).toEqual(['resolved']);
    // An idle tenant costs the points after this one nothing.
    const { data: rules } = await api.get<{ data: { id: string }[] }>('/api/v1/rules');
    for (const rule of rules) await api.post(`/api/v1/rules/${rule.id}/disable`);
  });
});
