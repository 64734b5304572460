import { deliver, dispatchTrigger } from '@tocsin/queue';
import { attemptDelivery } from '../deliver/attempt-delivery.ts';
import type { DeliveryDeps, DeliveryRef } from '../deliver/delivery-deps.ts';
import { openLanes, type LaneBounds } from '../deliver/lanes.ts';
import { sendHints } from '../send-hints.ts';
import { planTrigger } from './plan-trigger.ts';

export interface Dispatcher {
  /** Resolves once hints are being taken. */
  ready: () => Promise<void>;
  /** Takes no more, lets sends that are under way finish until the deadline (default 20 s), then gives them up. */
  close: (deadlineMs?: number) => Promise<void>;
}

const LANES: LaneBounds = { total: 256, perChannel: 16 };
const PLANS_AT_ONCE = 32;
const ATTEMPTS_AT_ONCE = 64;
/** Beyond this the queue holds what is to be sent, not this process. */
const IN_HAND_MAX = 1_024;

/**
 * Plans triggers and sends their deliveries. What has just been planned goes out at once from here, without another way through a
 * queue; retries, and what a hint or the sweep finds, come by the queue `deliveries`. Any number of dispatchers run side by side.
 */
export function startDispatcher(deps: DeliveryDeps, bounds: LaneBounds = LANES): Dispatcher {
  const stopping = new AbortController();
  const attempt = { ...deps, lanes: openLanes(bounds, deps.clock.now), giveUp: stopping.signal };
  const inHand = new Set<Promise<void>>();

  /** Sends without making the caller wait; what comes of it later is a hint. */
  const sendSoon = (refs: readonly DeliveryRef[]): void => {
    for (const ref of refs) {
      const work = (inHand.size < IN_HAND_MAX ? attemptNow(ref) : Promise.resolve(0))
        .then((againInMs) => (againInMs === null ? undefined : sendHints(deps, deliver, [ref], { delayMs: againInMs })))
        .catch((error: unknown) => deps.logger.error({ ...ref, err: error }, 'attempt failed; the sweep will find the delivery'))
        .finally(() => inHand.delete(work));
      inHand.add(work);
    }
  };
  const attemptNow = async (ref: DeliveryRef): Promise<number | null> => {
    const { againInMs, woken } = await attemptDelivery(attempt, ref);
    sendSoon(woken.map((deliveryId) => ({ tenantId: ref.tenantId, deliveryId })));
    return againInMs;
  };

  const consumers = [
    deps.queues.consumer(dispatchTrigger, { concurrency: PLANS_AT_ONCE }, async (trigger) => sendSoon(await planTrigger(deps, trigger))),
    deps.queues.consumer(deliver, { concurrency: ATTEMPTS_AT_ONCE }, async (ref) => {
      const againInMs = await attemptNow(ref);
      return againInMs === null ? undefined : { againInMs };
    }),
  ];

  return {
    ready: async () => void (await Promise.all(consumers.map((consumer) => consumer.ready()))),
    close: async (deadlineMs = 20_000) => {
      const late = setTimeout(() => stopping.abort(), deadlineMs);
      await Promise.all(consumers.map((consumer) => consumer.close(deadlineMs)));
      while (inHand.size > 0) await Promise.all(inHand);
      clearTimeout(late);
    },
  };
}
