import type { EpochMs } from './clock.ts';
import { escalationDue, type EscalationPolicy } from './escalation.ts';

export interface EscalationNow {
  /** Who is told now; null: nobody yet, or nobody any more. */
  told: { channels: string[]; lastStep: number } | null;
  /** The step that is told next; one past the last once all are told. */
  nextStep: number;
  /** When; null: all are told. */
  nextMs: EpochMs | null;
}

/**
 * Who is told at an instant of an alert that nobody has taken in hand, and when somebody is again. Steps and repeats whose time has passed
 * meanwhile are told as one: each of their channels hears once.
 * @param step the first that has not been told; 0 for the first of all
 */
export function escalationNow(policy: EscalationPolicy, step: number, sinceMs: EpochMs, nowMs: EpochMs): EscalationNow {
  const channels = new Set<string>();
  let nextStep = step;
  let due = escalationDue(policy, nextStep, sinceMs);
  while (due !== null && due.dueMs <= nowMs) {
    for (const channel of due.channels) channels.add(channel);
    nextStep += 1;
    due = escalationDue(policy, nextStep, sinceMs);
  }
  return { told: channels.size === 0 ? null : { channels: [...channels], lastStep: nextStep - 1 }, nextStep, nextMs: due?.dueMs ?? null };
}
