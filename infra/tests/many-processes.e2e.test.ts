import { type Deployment, describeQueues, newTenant, openDeployment, type WebhookReceiver, webhookReceiver } from '@tocsin/testkit';
import postgres from 'postgres';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { fastSlots } from './fast-slots.ts';
import { broken, messagesById, NOTHING_BROKEN } from './oracle.ts';

const TENANTS = 200;
const SLOTS = 20;
const SLOT_MS = 2_000;

describeQueues('three schedulers, three evaluators and two dispatchers', (backend) => {
  let deployment: Deployment;
  let receiver: WebhookReceiver;

  beforeAll(async () => {
    receiver = await webhookReceiver();
    deployment = await openDeployment(backend, { api: 1, scheduler: 3, evaluator: 3, dispatcher: 2 });
    await fastSlots(deployment, SLOT_MS);
  }, 90_000);
  afterAll(async () => {
    await deployment?.close();
    await receiver?.close();
  }, 120_000);

  test(`give each slot of ${TENANTS} tenants exactly one finished run, and each trigger one delivery`, async () => {
    for (let at = 0; at < TENANTS; at += 20) {
      await Promise.all(Array.from({ length: 20 }, (_, offset) => tenantThatFires(deployment, receiver.url, `tenant-${at + offset}`)));
    }
    await vi.waitFor(async () => expect(await fewestRuns(deployment)).toBeGreaterThanOrEqual(SLOTS), { timeout: 180_000, interval: 1_000 });
    await Promise.all(deployment.running('scheduler').map((scheduler) => scheduler.stop()));
    await vi.waitFor(async () => expect(await broken(deployment, SLOT_MS)).toEqual(NOTHING_BROKEN), { timeout: 60_000, interval: 500 });

    expect(await fewestRuns(deployment)).toBeGreaterThanOrEqual(SLOTS);
    const messages = [...messagesById(receiver.requests).values()];
    expect(messages.filter((message) => message.sends > 1)).toEqual([]);
    expect(
      messages.map((message) => (JSON.parse(message.body) as { tenant: { externalKey: string } }).tenant.externalKey).toSorted(),
    ).toEqual(Array.from({ length: TENANTS }, (_, index) => `tenant-${index}`).toSorted());
  }, 300_000);
});

async function tenantThatFires(deployment: Deployment, receiverUrl: string, externalKey: string): Promise<void> {
  const { api } = await newTenant(deployment.url, deployment.adminKey, externalKey);
  await api.post('/api/v1/channels', { key: 'hook', name: 'Hook', kind: 'webhook', grouping: false, config: { url: receiverUrl } });
  await api.post('/api/v1/events', { events: [{ name: 'job', measures: { duration_ms: 5_000 } }] });
  await api.post('/api/v1/rules', {
    name: 'Slow jobs',
    condition: { metric: 'latency', aggregation: 'max', window: '30m', operator: '>', threshold: 1_000 },
    evaluationDelay: '0s',
    notify: [{ channel: 'hook' }],
  });
}

/** Runs that ended, of the tenant that has the fewest. */
async function fewestRuns({ database }: Deployment): Promise<number> {
  const admin = postgres(database.adminUrl, { max: 1, onnotice: () => {}, connection: { search_path: 'tocsin' } });
  const [row] = await admin<[{ fewest: number }]>`
    select coalesce(min(ended), 0)::int as fewest from (
      select count(runs.id) filter (where status in ('done', 'late')) as ended from tenants left join runs using (tenant_id) group by tenant_id) counted`;
  await admin.end();
  return row.fewest;
}
