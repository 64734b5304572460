import type { EpochMs } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { formatDuration } from './duration.ts';
import { GROUP_WINDOW_MS, groupScope, placeInGroup } from './hold-back.ts';
import type { MessageKind } from './notification.ts';
import type { Replay, ReplayedSeries } from './replay-rule.ts';
import type { Labels } from './reading.ts';
import type { AlertType } from './series-state.ts';
import { isAtLeast, isWorse, type Severity } from './severity.ts';

export interface ReplayCounts {
  /** Episodes that began. */
  alerts: number;
  /** Messages, over all channels, after cooldown, each channel's least severity, what is muted, and what is told together. */
  notifications: number;
  /** Messages that a silence or a maintenance window of that time would have kept back. */
  muted: number;
  /** Time that something was firing, of all series together. */
  firingMs: number;
  /** Series that fired. */
  seriesAffected: number;
}

type PreviewWarningCode =
  | 'noisy'
  | 'short_lived'
  | 'always_firing'
  | 'never_fires'
  | 'no_data'
  | 'not_ready'
  | 'failed'
  | 'series_dropped'
  | 'summed_up'
  | 'no_channels'
  | 'shadow';

export interface PreviewWarning {
  code: PreviewWarningCode;
  message: string;
}

interface Told {
  fromMs: EpochMs;
  toMs: EpochMs;
}

/** Until when a series was muted at an instant, by its labels; null: it was not. */
export type MutedUntil = (labels: Labels, severity: Severity, alertType: AlertType, atMs: EpochMs) => EpochMs | null;

const NEVER_MUTED: MutedUntil = () => null;

/** What a replay comes to between two instants. */
export function countReplay(
  rule: CompiledRule,
  { series }: Replay,
  { fromMs, toMs }: Told,
  mutedUntil: MutedUntil = NEVER_MUTED,
): ReplayCounts {
  const counts = { alerts: 0, notifications: 0, muted: 0, firingMs: 0, seriesAffected: 0 };
  const told = rule.notify.map((): ToldMessage[] => []);
  for (const each of series) {
    counts.alerts += each.changes.filter(({ change }) => change.kind === 'fired' || change.kind === 'no_data').length;
    if (!rule.isShadow) {
      for (const [index, { minSeverity }] of rule.notify.entries()) {
        const messages = messagesTo(minSeverity, each, { toMs, remindEveryMs: rule.remindEveryMs, mutedUntil });
        told[index]!.push(...messages.told);
        counts.muted += messages.muted;
      }
    }
    for (const { from, to } of each.firing) counts.firingMs += Math.max(0, (to ?? toMs) - Math.max(from, fromMs));
    if (each.firing.length > 0) counts.seriesAffected += 1;
  }
  counts.notifications = told.reduce((total, messages) => total + countTogether(messages), 0);
  return counts;
}

interface ToldMessage {
  atMs: EpochMs;
  kind: MessageKind;
  severity: Severity;
}

/** How many messages these are at one channel, when what follows the first within the window is told with the second. */
function countTogether(messages: readonly ToldMessage[]): number {
  const windows = new Map<string | null, { openedMs: EpochMs; before: number }>();
  let count = 0;
  for (const { atMs, kind, severity } of messages.toSorted((a, b) => a.atMs - b.atMs)) {
    const scope = groupScope(kind, severity, '');
    const open = windows.get(scope);
    const window = open !== undefined && atMs < open.openedMs + GROUP_WINDOW_MS ? open : { openedMs: atMs, before: 0 };
    if (scope === null || placeInGroup(window.before) !== 'rest') count += 1;
    windows.set(scope, { ...window, before: window.before + 1 });
  }
  return count;
}

interface Channel {
  toMs: EpochMs;
  remindEveryMs: number | null;
  mutedUntil: MutedUntil;
}

/**
 * A channel hears of what is bad enough for it, again as often as the rule reminds, of what was muted once it is not, and of the end of what it has
 * heard of.
 */
function messagesTo(least: Severity, { labels, changes }: ReplayedSeries, { toMs, remindEveryMs, mutedUntil }: Channel) {
  const counts = { told: [] as ToldMessage[], muted: 0 };
  let open: { severity: Severity; alertType: AlertType } | null = null;
  let isTold = false;
  let untoldUntilMs: EpochMs | null = null;
  let remindMs: EpochMs | null = null;
  const muteAt = (atMs: EpochMs): EpochMs | null => (open === null ? null : mutedUntil(labels, open.severity, open.alertType, atMs));

  const tell = (kind: MessageKind, atMs: EpochMs): void => void counts.told.push({ atMs, kind, severity: open?.severity ?? 'info' });

  /** What time brings before an instant: the end of a mute, reminders. */
  const passTo = (untilMs: EpochMs): void => {
    while (untoldUntilMs !== null && untoldUntilMs < untilMs) {
      const atMs: EpochMs = untoldUntilMs;
      untoldUntilMs = muteAt(atMs);
      if (untoldUntilMs !== null) continue;
      tell('unsilenced', atMs);
      isTold = true;
    }
    for (; remindEveryMs !== null && remindMs !== null && remindMs < untilMs; remindMs += remindEveryMs) {
      if (muteAt(remindMs) === null) tell('reminded', remindMs);
      else counts.muted += 1;
    }
  };

  for (const { at, change } of changes) {
    passTo(at);
    if (change.kind === 'resolved') {
      if (isTold) tell('resolved', at);
      [open, isTold, untoldUntilMs, remindMs] = [null, false, null, null];
    } else if (isAtLeast(change.severity, least)) {
      if (open === null || isWorse(change.severity, open.severity)) remindMs = remindEveryMs === null ? null : at + remindEveryMs;
      open = { severity: change.severity, alertType: change.alertType };
      untoldUntilMs = muteAt(at);
      if (untoldUntilMs === null) tell(change.kind, at);
      else counts.muted += 1;
      isTold ||= untoldUntilMs === null;
    }
  }
  passTo(toMs);
  return counts;
}

const DAY_MS = 86_400_000;
const SHORT_MS = 2 * 60_000;
/** Alerts a day that nobody goes on reading. */
const NOISY_PER_DAY = 5;

/** What is worth knowing before such a rule is saved; the gravest first. */
export function warningsOf(rule: CompiledRule, replay: Replay, counts: ReplayCounts, { fromMs, toMs }: Told): PreviewWarning[] {
  const warnings: PreviewWarning[] = [];
  const warn = (code: PreviewWarningCode, message: string): void => void warnings.push({ code, message });
  const { health, trouble, series, dropped } = replay;
  const slots = health.ok + health.no_data + health.error + health.warming;
  const days = (toMs - fromMs) / DAY_MS;

  if (health.error > 0) warn('failed', `Could not be evaluated at ${health.error} of ${slots} slots: ${trouble ?? 'unknown'}.`);
  if (slots > 0 && health.no_data === slots)
    warn('no_data', 'Nothing was measured in all of this time: check the names, filters and minSamples.');
  else if (health.no_data > slots / 2) warn('no_data', `Nothing was measured at ${health.no_data} of ${slots} slots.`);
  if (health.warming > 0)
    warn('not_ready', `At ${health.warming} of ${slots} slots too little was known of the past to say (${trouble ?? 'warming'}).`);
  const perDay = counts.alerts / days;
  if (counts.alerts >= NOISY_PER_DAY && perDay > NOISY_PER_DAY)
    warn('noisy', `Fires ${Math.round(perDay)}× a day: raise the threshold, or add for, recover or minSamples.`);
  const ended = series.flatMap(({ firing }) => firing.filter((span) => span.to !== null));
  const short = ended.filter(({ from, to }) => to !== null && to - from < SHORT_MS);
  if (short.length >= 2 && short.length > ended.length / 2)
    warn(
      'short_lived',
      `${short.length} of ${ended.length} alerts were over within ${formatDuration(SHORT_MS)}: add for, keepFiringFor or recover.`,
    );
  const seen = series.length;
  if (seen > 0 && counts.firingMs > (seen * (toMs - fromMs)) / 2)
    warn('always_firing', 'Fires more than half of the time: what always fires is soon not read.');
  if (counts.alerts === 0 && counts.firingMs === 0 && health.ok > slots / 2) warn('never_fires', nearestMiss(rule, series));
  if (dropped > 0) warn('series_dropped', `Up to ${dropped} series more than are judged at a slot: filter, or group by fewer dims.`);
  if (replay.basis === 'hours')
    warn('summed_up', 'Windows of more than 6h are summed up from closed hours: sums and counts are exact, percentiles within 1 %.');
  if (rule.isShadow) warn('shadow', 'A shadow rule is recorded and told to nobody.');
  else if (rule.notify.length === 0) warn('no_channels', 'No channel is named, so nobody is told.');
  return warnings;
}

/** How close it came. */
function nearestMiss({ comparisons }: CompiledRule, series: readonly ReplayedSeries[]): string {
  const isLowBad = comparisons[0]?.operator.startsWith('<') ?? false;
  let nearest: number | null = null;
  for (const { points } of series) {
    for (const { value } of points)
      if (value !== null && (nearest === null || (isLowBad ? value < nearest : value > nearest))) nearest = value;
  }
  if (nearest === null) return 'Would not have fired.';
  return `Would not have fired; the ${isLowBad ? 'lowest' : 'highest'} value was ${Number(nearest.toPrecision(6))}.`;
}
