import { lockAlerts, resolveByHand, withTenant } from '@tocsin/db';
import { dispatchTrigger } from '@tocsin/queue';
import { describeQueues, webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { addRule, asTenant, tenantWith } from '../../test/stage.ts';
import { openWholePipeline, type WholePipeline } from '../../test/whole-pipeline.ts';
import { sendHints } from '../send-hints.ts';

const MINUTE = 60_000;

describeQueues('an alert that a person ends', (backend) => {
  let whole: WholePipeline;
  let receiver: WebhookReceiver;
  let tenantId: string;
  beforeAll(async () => {
    whole = await openWholePipeline(backend);
  });
  afterAll(() => whole.close());
  beforeEach(async () => {
    receiver = await webhookReceiver();
    tenantId = await tenantWith(whole.stage.db, MINUTE);
    await whole.addWebhook(tenantId, receiver.url);
  });
  afterEach(async () => {
    await receiver.close();
    await whole.stage.clear();
  });

  const db = () => whole.stage.db;
  const rule = (more: object = {}): Promise<string> =>
    addRule(db(), tenantId, {
      condition: { metric: 'latency', window: '5m', operator: '>', threshold: 1_000 },
      cooldown: '60m',
      notify: [{ channel: 'hook' }],
      ...more,
    });
  /** A call that lies in the window of the next slot. */
  const breach = (durationMs = 2_000) =>
    whole.store.ingest(tenantId, [{ ts: whole.now() - 15_000, name: 'call', dims: {}, measures: { duration_ms: durationMs } }]);
  const types = (): string[] => receiver.requests.map(({ body }) => (JSON.parse(body) as { type: string }).type);
  const told = (...expected: string[]): Promise<void> =>
    vi.waitFor(() => expect(types()).toEqual(expected), { timeout: 45_000, interval: 10 });
  const alerts = () =>
    asTenant(
      db(),
      tenantId,
      (sql) => sql<{ id: string; status: string; by: string | null; reason: string | null }[]>`
        select id, status, resolved_by as by, resolve_reason as reason from alerts order by id`,
    );
  const openId = async (): Promise<string> => {
    const open = (await alerts()).filter(({ status }) => status !== 'resolved');
    expect(open).toHaveLength(1);
    return open[0]!.id;
  };
  /** As the service does it. */
  const resolve = async (id: string): Promise<void> => {
    const made = await withTenant(db(), tenantId, async (tx) => {
      await lockAlerts(tx, tenantId, [id]);
      return resolveByHand(tx, tenantId, [id], { actor: 'ann', notes: 'fixed' });
    });
    const hints = made.map((triggerId) => ({ tenantId, triggerId }));
    await sendHints(whole.stage.deps, dispatchTrigger, hints);
  };
  /** Slots with a breach in each, up to the one that lies at `untilMs` or later; answers it. */
  const breachUntil = async (untilMs: number): Promise<number> => {
    for (;;) {
      await breach();
      const slotMs = await whole.nextSlot(tenantId, 3 * MINUTE);
      if (slotMs >= untilMs) return slotMs;
    }
  };

  test('while it still breaches is told as over, stays quiet for its cooldown, and fires at its end', async () => {
    const ruleId = await rule();
    await breach();
    let firedMs = 0;
    do firedMs = await whole.nextSlot(tenantId);
    while ((await alerts()).length === 0);
    await told('alert.fired');
    await breach();
    await whole.nextSlot(tenantId, MINUTE);

    const id = await openId();
    await resolve(id);
    await told('alert.fired', 'alert.resolved');
    expect(await alerts()).toMatchObject([{ id, status: 'resolved', by: 'ann', reason: 'manual' }]);

    const lastMs = await breachUntil(firedMs + 55 * MINUTE);
    expect(lastMs).toBeLessThan(firedMs + 60 * MINUTE);
    const during = (await whole.history(tenantId, ruleId)).filter(({ slotMs }) => slotMs > firedMs + 2 * MINUTE);
    expect(during.length).toBeGreaterThan(5);
    expect(new Set(during.map(({ outcome, reason }) => `${outcome} ${reason}`))).toEqual(new Set(['suppressed cooldown']));
    expect(types()).toEqual(['alert.fired', 'alert.resolved']);

    await breachUntil(firedMs + 60 * MINUTE);
    await told('alert.fired', 'alert.resolved', 'alert.fired');
    expect(await openId()).not.toBe(id);
  });
});
