import { deliver, dispatchTrigger } from '@tocsin/queue';
import { attemptDelivery, beginAttempt, type Attempted } from '../deliver/attempt-delivery.ts';
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

const LANES: LaneBounds = { total: 512, perTenant: 128, perChannel: 16 };
const PLANS_AT_ONCE = 32;
const PREPARED_AT_ONCE = 64;
/** Beyond this the queue holds what is to be sent, not this process. */
const IN_HAND_MAX = 1_024;

const LATER: Attempted = { againInMs: 0, woken: [], sent: null };

/**
 * Plans triggers and sends their deliveries. What has just been planned goes out at once from here, without another way through a
 * queue; retries, and what a hint or the sweep finds, come by the queue `deliveries`. A hint is done with once its message is under way:
 * receivers that hang hold up no queue. Any number of dispatchers run side by side.
 */
export function startDispatcher(deps: DeliveryDeps, bounds: LaneBounds = LANES): Dispatcher {
  const stopping = new AbortController();
  const attempt = { ...deps, lanes: openLanes(bounds, deps.clock.now), giveUp: stopping.signal };
  const inHand = new Set<Promise<void>>();

  /** Sees an attempt to its end without making the caller wait; what comes of it later is a hint. */
  const follow = (ref: DeliveryRef, attempted: Promise<Attempted>): void => {
    const work = attempted
      .then(async ({ againInMs, woken }) => {
        sendSoon(woken.map((deliveryId) => ({ tenantId: ref.tenantId, deliveryId })));
        // The hint that led here may not be gone yet, and would swallow another of its id.
        if (againInMs !== null) await sendHints(deps, deliver, [ref], { delayMs: againInMs, evenIfKnown: true });
      })
      .catch((error: unknown) => deps.logger.error({ ...ref, err: error }, 'attempt failed; the sweep will find the delivery'))
      .finally(() => inHand.delete(work));
    inHand.add(work);
  };
  const sendSoon = (refs: readonly DeliveryRef[]): void => {
    for (const ref of refs) follow(ref, inHand.size < IN_HAND_MAX ? attemptDelivery(attempt, ref) : Promise.resolve(LATER));
  };

  const consumers = [
    deps.queues.consumer(dispatchTrigger, { concurrency: PLANS_AT_ONCE }, async (trigger) => sendSoon(await planTrigger(deps, trigger))),
    deps.queues.consumer(deliver, { concurrency: PREPARED_AT_ONCE }, async (ref) => {
      const begun = await beginAttempt(attempt, ref);
      if (begun.kind === 'sending') return follow(ref, begun.attempted);
      const { againInMs, woken } = begun.attempted;
      sendSoon(woken.map((deliveryId) => ({ tenantId: ref.tenantId, deliveryId })));
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
