import { z } from 'zod';
import type { EpochMs } from './clock.ts';
import { labelOf, type MatchedAlert, type Matcher, Matchers, matches } from './matchers.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';

export const INHIBITIONS_MAX = 100;

/** While an alert that matches `source` is open, nothing is told of those that match `target` and have the same values in the labels `equal`. */
export const Inhibition = z.strictObject({
  source: Matchers.min(1),
  target: Matchers.min(1),
  equal: z.array(z.string().trim().min(1).max(RULE_BOUNDS.fieldLength)).max(RULE_BOUNDS.groupBy).default([]),
});
export type Inhibition = z.infer<typeof Inhibition>;

/** A silence or a maintenance window while it lasts. */
export interface Quiet {
  id: string;
  matchers: readonly Matcher[];
  untilMs: EpochMs;
}

/** An alert that is open. */
export interface OpenMatched extends MatchedAlert {
  id: string;
}

/** What keeps a tenant's alerts from being told just now. */
export interface Mutes {
  silences: readonly Quiet[];
  windows: readonly Quiet[];
  inhibitions: readonly Inhibition[];
  /** Open alerts that match the source of one at least. */
  inhibitors: readonly OpenMatched[];
}

export const NO_MUTES: Mutes = { silences: [], windows: [], inhibitions: [], inhibitors: [] };

export const MUTE_REASONS = ['alert_silenced', 'silenced', 'maintenance', 'inhibited'] as const;
export type MuteReason = (typeof MUTE_REASONS)[number];

/** Why an alert is not told now. `by` is the id of the silence, window or inhibiting alert; of an alert silenced alone its own. */
export interface Muted {
  reason: MuteReason;
  by: string;
  /** Null: as long as another alert is open. */
  untilMs: EpochMs | null;
}

/** @param silencedUntilMs of the alert's own silence; null: it has none */
export function muteOf(
  alert: OpenMatched & { silencedUntilMs: EpochMs | null },
  { silences, windows, inhibitions, inhibitors }: Mutes,
  nowMs: EpochMs,
): Muted | null {
  const { id, silencedUntilMs } = alert;
  if (silencedUntilMs !== null && silencedUntilMs > nowMs) return { reason: 'alert_silenced', by: id, untilMs: silencedUntilMs };
  const silence = longest(silences, alert, nowMs);
  if (silence !== null) return { reason: 'silenced', by: silence.id, untilMs: silence.untilMs };
  const window = longest(windows, alert, nowMs);
  if (window !== null) return { reason: 'maintenance', by: window.id, untilMs: window.untilMs };
  const inhibitor = inhibitorOf(alert, inhibitions, inhibitors);
  return inhibitor === null ? null : { reason: 'inhibited', by: inhibitor.id, untilMs: null };
}

function longest(quiets: readonly Quiet[], alert: MatchedAlert, nowMs: EpochMs): Quiet | null {
  let found: Quiet | null = null;
  for (const quiet of quiets) {
    if (quiet.untilMs <= nowMs || (found !== null && found.untilMs >= quiet.untilMs)) continue;
    if (matches(quiet.matchers, alert)) found = quiet;
  }
  return found;
}

/** Two alerts that are each both source and target do not silence each other, and none silences itself: somebody must hear. */
function inhibitorOf(alert: OpenMatched, inhibitions: readonly Inhibition[], inhibitors: readonly OpenMatched[]): OpenMatched | null {
  for (const { source, target, equal } of inhibitions) {
    if (!matches(target, alert)) continue;
    const isSourceToo = matches(source, alert);
    const found = inhibitors.find(
      (other) =>
        other.id !== alert.id &&
        matches(source, other) &&
        !(isSourceToo && matches(target, other)) &&
        equal.every((label) => labelOf(other, label) === labelOf(alert, label)),
    );
    if (found !== undefined) return found;
  }
  return null;
}
