import { execFileSync } from 'node:child_process';
import { type App, type Deployment, openDeployment, type WebhookReceiver, webhookReceiver } from '@tocsin/testkit';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { fastSlots } from './fast-slots.ts';
import { firingTenant } from './firing-tenant.ts';
import { broken, messagesById, NOTHING_BROKEN } from './oracle.ts';

const SLOT_MS = 1_000;
/** A lease of 10 s, a sweep of 2 s, the window of 10 s until it resolves, and what a loaded machine adds. */
const TAKEN_OVER_MS = 45_000;

/** Where a process is held up for longer than its lease. */
const POINTS: readonly { app: App; point: string }[] = [
  { app: 'evaluator', point: 'evaluator.after-lease' },
  { app: 'evaluator', point: 'evaluator.mid-transaction' },
  { app: 'dispatcher', point: 'dispatcher.attempt-written' },
];

describe('a process that is held up beyond its lease and then goes on where it was', () => {
  let deployment: Deployment;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = await webhookReceiver();
    deployment = await openDeployment('postgres', { api: 1, scheduler: 1, evaluator: 1, dispatcher: 1 });
    await fastSlots(deployment, SLOT_MS);
  }, 120_000);
  afterAll(async () => {
    await deployment?.close();
    await receiver?.close();
  }, 90_000);

  test.for(POINTS)('at $point finds its work done, and does none of it again', { timeout: 120_000 }, async ({ app, point }) => {
    await Promise.all(deployment.running(app).map((running) => running.stop()));
    const zombie = await deployment.start(app, { TOCSIN_FAULT_POINT: point, TOCSIN_FAULT_SIGNAL: 'SIGSTOP' });
    const { api } = await firingTenant(deployment, receiver.url, point);
    const received = () => [...messagesById(receiver.requests.filter((request) => request.path === `/${point}`)).values()];
    try {
      await vi.waitFor(() => expect(stateOf(zombie.pid)).toMatch(/^T/), { timeout: 30_000, interval: 50 });
      await deployment.start(app);
      await vi.waitFor(() => expect(received().length).toBe(2), { timeout: TAKEN_OVER_MS, interval: 100 });
    } finally {
      zombie.signal('SIGCONT');
    }
    // What it was in the midst of is over when it lets itself be stopped.
    expect(await zombie.stop(), zombie.output()).toBe(0);
    await vi.waitFor(async () => expect(await broken(deployment, SLOT_MS)).toEqual(NOTHING_BROKEN), { timeout: 30_000, interval: 250 });
    expect(received().map((message) => (JSON.parse(message.body) as { type: string }).type)).toEqual(['alert.fired', 'alert.resolved']);
    expect(received().map((message) => message.sends)).toEqual([1, 1]);
    const { data: rules } = await api.get<{ data: { id: string }[] }>('/api/v1/rules');
    for (const rule of rules) await api.post(`/api/v1/rules/${rule.id}/disable`);
  });
});

/** As `ps` says it: T is stopped. */
const stateOf = (pid: number): string => execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' }).trim();
