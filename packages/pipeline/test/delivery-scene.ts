import { randomBytes } from 'node:crypto';
import { deliver, dispatchTrigger, type QueueBackend } from '@tocsin/queue';
import { webhookReceiver, type WebhookReceiver } from '@tocsin/testkit';
import { afterAll, afterEach, beforeAll, beforeEach, vi } from 'vitest';
import { startDispatcher, type Dispatcher } from '../src/dispatch/start-dispatcher.ts';
import { deliveryWorld, type DeliveryRow, type DeliveryWorld } from './delivery-world.ts';

interface TriggerRef {
  tenantId: string;
  triggerId: string;
}

/** Sets a suite up with a world, a dispatcher at work in it and a fresh receiver for each test; answers what its tests do there. */
export function deliveryScene(backend: QueueBackend) {
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
  const hint = (trigger: TriggerRef): Promise<void> => world.deps.queues.producer(dispatchTrigger).send(trigger);
  /** Hints a delivery, as the sweep would. */
  const poke = (deliveryId: string): Promise<void> =>
    world.deps.queues.producer(deliver).send({ tenantId: world.tenantId, deliveryId }, { evenIfKnown: true });
  /** Waits until the alert's deliveries satisfy a claim, and answers them. */
  const settled = (alertId: string, claim: (rows: DeliveryRow[]) => boolean, timeout = 15_000): Promise<DeliveryRow[]> =>
    vi.waitFor(
      async () => {
        const rows = await world.deliveries(alertId);
        if (!claim(rows)) throw new Error(`not yet: ${JSON.stringify(rows)}; log: ${world.log.slice(-20).join('')}`);
        return rows;
      },
      { timeout, interval: 20 },
    );

  return {
    world: () => world,
    receiver: () => receiver,
    key,
    hint,
    poke,
    settled,
    /** A new webhook channel that leads to the receiver; answers its key. */
    hook: async (config: Record<string, unknown> = {}): Promise<string> => {
      const channel = key('hook');
      await world.channel(channel, 'webhook', { url: `${receiver.url}/in`, ...config });
      return channel;
    },
    /** A new rule for these channels, and a new alert of it that fires. */
    fire: async (channels: string[]): Promise<{ ruleId: string; alertId: string }> => {
      const ruleId = await world.rule(channels, { annotations: { summary: 'p95 is {{ value }}, {{ nonsense }}' } });
      const alertId = await world.alert(ruleId);
      await hint(await world.trigger(ruleId, alertId, 'fired'));
      return { ruleId, alertId };
    },
    /** `settled` for an alert with one delivery. */
    only: async (alertId: string, claim: (row: DeliveryRow) => boolean): Promise<DeliveryRow> => {
      const [row] = await settled(alertId, (rows) => rows.length === 1 && rows.every(claim));
      if (row === undefined) throw new Error('no delivery');
      return row;
    },
    /** Lets the database's clock pass a delivery's next attempt, and hints it. */
    passTo: async (row: DeliveryRow): Promise<void> => {
      world.db.clock.shiftMs += Math.ceil(Math.max(0, row.nextInMs)) + 1;
      await poke(row.id);
    },
  };
}
