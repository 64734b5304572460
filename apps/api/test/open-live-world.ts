import { withTenantsSql } from '@tocsin/db';
import { claimDueSlots, startDispatcher, startEvaluator } from '@tocsin/pipeline';
import { openOutbound } from '@tocsin/runtime';
import { webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { expect, vi } from 'vitest';
import { type Actor, openWorld, type World } from './open-world.ts';

const PATIENCE = { timeout: 45_000, interval: 20 };
const DELAY_MS = 10_000;

export interface LiveWorld extends World {
  receiver: WebhookReceiver;
  /** Passes time to the tenant's next slot. Answers that slot. */
  reachSlot: (tenant: Actor) => Promise<number>;
  /** Sends calls of these durations into the middle of a window of 10 s that ends 10 s before a slot. */
  send: (tenant: Actor, slotMs: number, durations: readonly number[], dims?: Record<string, string>) => Promise<void>;
  /** Claims what is due, and waits until it is evaluated and what it made is told. */
  evaluate: (tenant: Actor) => Promise<void>;
  /** All three. Answers the slot. */
  slotWith: (tenant: Actor, durations: readonly number[], dims?: Record<string, string>) => Promise<number>;
}

/** The API with an evaluator and a dispatcher beside it. Slots are 10 s apart where a rule says so; time starts anew with `world.services.db.clock.shiftMs = 0`. */
export async function openLiveWorld(): Promise<LiveWorld> {
  const receiver = await webhookReceiver();
  const outbound = openOutbound({ allowHttp: true, allowCidrs: ['127.0.0.0/8'] });
  const world = await openWorld({ outbound });
  const { services } = world;
  const evaluator = startEvaluator({ ...services, source: services.events.source, histories: services.events });
  const dispatcher = startDispatcher(services);
  await Promise.all([evaluator.ready(), dispatcher.ready()]);

  const reachSlot: LiveWorld['reachSlot'] = async ({ tenantId }) => {
    const [schedule] = await withTenantsSql(
      services.db,
      [tenantId],
      (sql) => sql<{ next: number }[]>`select next_slot_at as next from schedules where tenant_id = ${tenantId}`,
    );
    const slotMs = schedule!.next;
    services.db.clock.shiftMs = slotMs - Date.now() + 100;
    return slotMs;
  };
  const send: LiveWorld['send'] = async ({ tenantId }, slotMs, durations, dims = {}) => {
    const ts = slotMs - DELAY_MS - 5_000;
    const events = durations.map((duration) => ({ ts, name: 'call', dims, measures: { duration_ms: duration } }));
    const { rejected } = await services.events.ingest(tenantId, events);
    expect(rejected).toEqual([]);
  };
  const evaluate: LiveWorld['evaluate'] = async ({ tenantId }) => {
    await claimDueSlots(services);
    await vi.waitFor(async () => {
      const open = await withTenantsSql(
        services.db,
        [tenantId],
        (sql) => sql`
          select id from runs where status in ('queued', 'running')
          union all select id from triggers where status = 'pending'
          union all select id from deliveries where status in ('pending', 'sending')`,
      );
      expect(open).toEqual([]);
    }, PATIENCE);
  };
  return {
    ...world,
    receiver,
    reachSlot,
    send,
    evaluate,
    slotWith: async (tenant, durations, dims) => {
      const slotMs = await reachSlot(tenant);
      await send(tenant, slotMs, durations, dims);
      await evaluate(tenant);
      return slotMs;
    },
    close: async () => {
      await evaluator.close();
      await dispatcher.close();
      await world.close();
      await outbound.close();
      await receiver.close();
    },
  };
}

/** A rule over 10 s, looked at every 10 s, without a cooldown. */
export const quickRule = (changes: Record<string, unknown> = {}, condition: Record<string, unknown> = {}): Record<string, unknown> => ({
  key: 'quick',
  name: 'Slow calls',
  every: '10s',
  cooldown: '0s',
  condition: { metric: 'latency', window: '10s', operator: '>', threshold: 1_000, ...condition },
  ...changes,
});
