import type { MessageKind } from './notification.ts';
import type { Severity } from './severity.ts';

/** What comes to a channel so soon after a rule's first message waits and is told with the others. */
export const GROUP_WINDOW_MS = 30_000;
/** What a channel takes is counted by the minute. */
export const STORM_WINDOW_MS = 60_000;

/** Kinds that may be told together. Tests, and what was sent because nobody had answered or heard, go at once and by themselves. */
const GROUPED: ReadonlySet<MessageKind> = new Set<MessageKind>(['fired', 'escalated', 'reminded', 'no_data', 'unsilenced']);

/**
 * What of a rule is told together: critical alerts apart from milder ones, which they must not wait behind, and ends apart from beginnings. Null: it goes by
 * itself.
 */
export function groupScope(kind: MessageKind, severity: Severity, ruleId: string): string | null {
  if (kind === 'resolved') return `rule:${ruleId}:end`;
  if (!GROUPED.has(kind)) return null;
  return severity === 'critical' ? `rule:${ruleId}:critical` : `rule:${ruleId}`;
}

/**
 * What becomes of a message of a rule to a channel within the rule's window there.
 * `first`: it goes at once. `follow_up`: it waits for the window's end, and tells of all the `rest`.
 */
export const placeInGroup = (before: number): 'first' | 'follow_up' | 'rest' =>
  before === 0 ? 'first' : before === 1 ? 'follow_up' : 'rest';

/** Whether a channel has had enough for this minute. Critical alerts may come twice as often as that. */
export const isStorm = (before: number, severity: Severity, maxPerMinute: number | null): boolean =>
  maxPerMinute !== null && before >= (severity === 'critical' ? 2 * maxPerMinute : maxPerMinute);
