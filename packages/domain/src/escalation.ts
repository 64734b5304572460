import type { EpochMs } from './clock.ts';

export const ESCALATION_BOUNDS = { steps: 5, channelsPerStep: 10, repeats: 10, leastAfterMs: 60_000, mostAfterMs: 86_400_000 } as const;

/** Who is told when nobody has taken an alert in hand for so long since it opened. */
export interface EscalationStep {
  afterMs: number;
  /** Keys. */
  channels: readonly string[];
}

export interface EscalationPolicy {
  /** Each later than the one before; one at least. */
  steps: readonly EscalationStep[];
  /** The last step again, so often; null: it is not repeated. */
  repeat: { everyMs: number; times: number } | null;
}

export interface EscalationDue {
  dueMs: EpochMs;
  /** How long the alert has been unacknowledged by then. */
  afterMs: number;
  channels: readonly string[];
}

/**
 * When the step of a number is due, and who is told. Null: there is none any more.
 * @param step 0 for the first; repeats count on
 */
export function escalationDue({ steps, repeat }: EscalationPolicy, step: number, openedMs: EpochMs): EscalationDue | null {
  const last = steps.at(-1)!;
  const { afterMs, channels } = steps[step] ?? last;
  const repeats = step < steps.length ? 0 : step - steps.length + 1;
  if (repeats > (repeat?.times ?? 0)) return null;
  const dueAfterMs = afterMs + repeats * (repeat?.everyMs ?? 0);
  return { dueMs: openedMs + dueAfterMs, afterMs: dueAfterMs, channels };
}
