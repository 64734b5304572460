import type { OpenDelivery } from '@tocsin/db';
import { isActionChannel, RETRY } from '@tocsin/domain';

export type NextStep =
  | { kind: 'send' }
  /** Somebody sends it now; if they die, the sweep finds it. */
  | { kind: 'leave' }
  /** Not yet. `postpone`: the row says so too. */
  | { kind: 'wait'; inMs: number; postpone: boolean }
  | { kind: 'end'; status: 'dead' | 'suppressed'; reason: EndReason }
  /** Both it and the end of its alert wait unsent: the end tells the whole. */
  | { kind: 'fold'; into: string };

type EndReason = 'expired' | 'attempts_exhausted' | 'channel_missing' | 'channel_disabled' | 'never_told';

/** After the message before it was to be tried: long enough for its outcome, which wakes the waiting one sooner. */
const AFTER_EARLIER_MS = 5_000;

/** What is to be done with an open delivery whose row is locked. */
export function nextStep(delivery: OpenDelivery): NextStep {
  if (delivery.leasedForMs !== null && delivery.leasedForMs > 0) return { kind: 'leave' };
  if (delivery.expiresInMs <= 0) return { kind: 'end', status: 'dead', reason: 'expired' };
  if (delivery.dueInMs > 0) return { kind: 'wait', inMs: delivery.dueInMs, postpone: false };
  if (delivery.channel === null) return unsendable(delivery, 'channel_missing');
  // A test says whether the channel would work, so that it can be switched on again.
  if (!delivery.channel.enabled && delivery.kind !== 'test') return unsendable(delivery, 'channel_disabled');
  if (delivery.countedAttempts >= RETRY.maxCountedAttempts) return { kind: 'end', status: 'dead', reason: 'attempts_exhausted' };
  if (delivery.kind === 'resolved') {
    if (delivery.earlierDueInMs !== null)
      return { kind: 'wait', inMs: Math.max(delivery.earlierDueInMs, 0) + AFTER_EARLIER_MS, postpone: true };
    // an action may hang on the end alone
    if (!delivery.earlierAttempted && !delivery.tellsEarlier && !isActionChannel(delivery.channelKey))
      return { kind: 'end', status: 'suppressed', reason: 'never_told' };
  }
  if (delivery.waitingEndId !== null) return { kind: 'fold', into: delivery.waitingEndId };
  return { kind: 'send' };
}

/** What was tried and cannot be tried on is dead; what was never tried is suppressed. */
const unsendable = ({ attempts }: OpenDelivery, reason: EndReason): NextStep => ({
  kind: 'end',
  status: attempts > 0 ? 'dead' : 'suppressed',
  reason,
});
