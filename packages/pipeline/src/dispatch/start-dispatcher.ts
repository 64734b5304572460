import { isRetryable, type DeliveryRef, type TriggerRef } from '@tocsin/db';
import { deliver, dispatchTrigger } from '@tocsin/queue';
import { openAttempts, type Attempted, type Begun } from '../deliver/attempts.ts';
import type { DeliveryDeps } from '../deliver/delivery-deps.ts';
import { keepDroppingSecrets } from '../deliver/drop-former-secrets.ts';
import { openLanes, type LaneBounds } from '../deliver/lanes.ts';
import { inBatches } from '../in-batches.ts';
import { sendHints } from '../send-hints.ts';
import { leaveUnplanned } from './leave-unplanned.ts';
import { planTriggers, type PlannedTriggers } from './plan-triggers.ts';

export interface Dispatcher {
  /** Resolves once hints are being taken. */
  ready: () => Promise<void>;
  /** Takes no more, lets sends that are under way finish until the deadline (default 20 s), then gives them up. */
  close: (deadlineMs?: number) => Promise<void>;
}

/** Beyond `inLine` the queue holds what is to be sent, not this process. */
const LANES: LaneBounds = { total: 512, perTenant: 128, perChannel: 16, inLine: 10_000 };
const PLANS = { atMost: 64, batches: 2 } as const;
/** Enough hints in hand to fill the next batches while these are under way. */
const HINTS_IN_HAND = 200;

/**
 * Plans triggers and sends their deliveries. What has just been planned goes out at once from here, without another way through a
 * queue; retries, and what a hint or the sweep finds, come by the queue `deliveries`. A hint is done with once its message is under way or
 * in line: receivers that hang hold up no queue. Any number of dispatchers run side by side.
 */
export function startDispatcher(deps: DeliveryDeps, bounds: LaneBounds = LANES): Dispatcher {
  const stopping = new AbortController();
  const attempt = { ...deps, lanes: openLanes(bounds, deps.clock.now), giveUp: stopping.signal };
  const attempts = openAttempts(attempt);
  const inHand = new Set<Promise<void>>();
  const inLine = new Set<string>();

  /** Sees an attempt to its end without making the caller wait; what comes of it later is a hint. */
  const follow = (ref: DeliveryRef, attempted: Promise<Attempted>): void => {
    const work = attempted
      .then(async ({ againInMs, woken }) => {
        woken.forEach(sendSoon);
        // The hint that led here may not be gone yet, and would swallow another of its id.
        if (againInMs !== null) await sendHints(deps, deliver, [ref], { delayMs: againInMs, evenIfKnown: true });
      })
      .catch((error: unknown) => deps.logger.error({ ...ref, err: error }, 'attempt failed; the sweep will find the delivery'))
      .finally(() => inHand.delete(work));
    inHand.add(work);
  };
  const outcomeOf = async (ref: DeliveryRef, begun: Begun): Promise<Attempted> => {
    if (begun.kind === 'full') return { againInMs: standInLine(ref, begun.channelId), woken: [], sent: null };
    return begun.attempted;
  };
  const sendSoon = (ref: DeliveryRef): void => {
    follow(
      ref,
      attempts.begin(ref).then((begun) => outcomeOf(ref, begun)),
    );
  };
  /** Sends it when there is a place. Answers when to come back if the line is too long, else null. */
  const standInLine = (ref: DeliveryRef, channelId: string): number | null => {
    if (inLine.has(ref.deliveryId)) return null;
    const turn = attempt.lanes.wait(ref.tenantId, channelId);
    if ('againInMs' in turn) return turn.againInMs;
    inLine.add(ref.deliveryId);
    void turn.then((place) => {
      inLine.delete(ref.deliveryId);
      follow(
        ref,
        attempts.begin(ref, place).then((begun) => outcomeOf(ref, begun)),
      );
    });
    return null;
  };

  const plan = inBatches({
    ...PLANS,
    work: async (refs: readonly TriggerRef[]) => {
      const { prepared, toSend, later } = await planTriggers(attempt, refs);
      for (const each of prepared) follow({ tenantId: each.delivery.tenantId, deliveryId: each.delivery.id }, attempts.send(each));
      toSend.forEach(sendSoon);
      for (const { ref, inMs } of firstOfEach(later)) follow(ref, Promise.resolve({ againInMs: Math.ceil(inMs), woken: [], sent: null }));
      return refs.map(() => undefined);
    },
  });
  const consumers = [
    deps.queues.consumer(dispatchTrigger, { concurrency: HINTS_IN_HAND }, async (ref) => {
      await plan(ref).catch((error: unknown) => {
        if (isRetryable(error)) throw error;
        return leaveUnplanned(deps, ref, error);
      });
    }),
    deps.queues.consumer(deliver, { concurrency: HINTS_IN_HAND }, async (ref) => {
      if (inLine.has(ref.deliveryId)) return undefined;
      const begun = await attempts.begin(ref);
      if (begun.kind === 'sending') return follow(ref, begun.attempted);
      const { againInMs, woken } = await outcomeOf(ref, begun);
      woken.forEach(sendSoon);
      return againInMs === null ? undefined : { againInMs };
    }),
  ];

  const dropping = new AbortController();
  const dropped = keepDroppingSecrets(deps, dropping.signal);

  return {
    ready: async () => void (await Promise.all(consumers.map((consumer) => consumer.ready()))),
    close: async (deadlineMs = 20_000) => {
      const late = setTimeout(() => stopping.abort(), deadlineMs);
      attempt.lanes.close();
      dropping.abort();
      await dropped;
      await Promise.all(consumers.map((consumer) => consumer.close(deadlineMs)));
      attempt.lanes.close();
      while (inHand.size > 0) await Promise.all(inHand);
      clearTimeout(late);
    },
  };
}

/** Of those that are told together, whose time comes at once, the first brings all. */
const firstOfEach = (later: PlannedTriggers['later']): PlannedTriggers['later'] => [
  ...new Map(later.toReversed().map((each) => [each.foldName, each])).values(),
];
