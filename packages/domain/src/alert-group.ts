import type { AlertSnapshot, RuleName } from './notification.ts';
import { isWorse } from './severity.ts';
import type { LaterReason } from './tell-later.ts';

/**
 * Why alerts are told together: they came on the heels of the first of their rule, the channel had more than it takes in a minute, or they waited for the end
 * of its quiet hours or for its digest.
 */
export type GroupReason = 'group' | 'storm' | LaterReason;

/** What a message of several alerts says of one of them. */
export interface GroupedAlert extends Pick<
  AlertSnapshot,
  'id' | 'name' | 'status' | 'severity' | 'metric' | 'operator' | 'value' | 'threshold' | 'unit' | 'labels' | 'url'
> {
  rule: RuleName;
}

/** Several alerts in one message. */
export interface AlertGroup {
  reason: GroupReason;
  /** All alerts in it, and of these the ones that were over by then. */
  count: number;
  resolved: number;
  /** Of those that waited, how many began meanwhile; absent: they did not wait for quiet hours or a digest. */
  began?: number;
  /** Of how many rules. */
  rules: number;
  /** Of all of them, the last thousand where they are more. */
  alertIds: string[];
  /** The worst five, worst first. */
  worst: GroupedAlert[];
}

export interface GroupMember {
  snapshot: AlertSnapshot;
  rule: RuleName;
}

const WORST_SHOWN = 5;
const IDS_SHOWN = 1_000;

/**
 * Several messages as one. Of an alert that is told more than once only its last word counts.
 * @param members oldest first; one at least
 * @param began how many alerts began while they waited; undefined: that is not counted
 */
export function groupOf(members: readonly GroupMember[], reason: GroupReason, began?: number): AlertGroup {
  const alerts = [...new Map(members.map((member) => [member.snapshot.id, member])).values()];
  return {
    reason,
    count: alerts.length,
    resolved: alerts.filter(({ snapshot }) => snapshot.status === 'resolved').length,
    ...(began === undefined ? {} : { began }),
    alertIds: alerts.slice(-IDS_SHOWN).map(({ snapshot }) => snapshot.id),
    rules: new Set(alerts.map(({ rule }) => rule.id)).size,
    worst: alerts.toSorted(worseFirst).slice(0, WORST_SHOWN).map(shown),
  };
}

/** The worst of them, which such a message is of. */
export const worstMember = (members: readonly GroupMember[]): GroupMember => members.toSorted(worseFirst)[0]!;

function shown({ snapshot, rule }: GroupMember): GroupedAlert {
  const { id, name, status, severity, metric, operator, value, threshold, unit, labels, url } = snapshot;
  return { id, name, status, severity, metric, operator, value, threshold, unit, labels, url, rule };
}

/** Open before over, then by severity, then by how many times its threshold a value is; ties by id, so that nothing is left to chance. */
function worseFirst({ snapshot: a }: GroupMember, { snapshot: b }: GroupMember): number {
  const byOver = Number(a.status === 'resolved') - Number(b.status === 'resolved');
  if (byOver !== 0) return byOver;
  if (a.severity !== b.severity) return isWorse(a.severity, b.severity) ? -1 : 1;
  const [excessA, excessB] = [excess(a), excess(b)];
  if (excessA !== excessB) return excessA > excessB ? -1 : 1;
  return a.id < b.id ? -1 : 1;
}

/** How far past its threshold a value is, in thresholds, so that those of different metrics compare. */
function excess({ value, threshold, operator }: AlertSnapshot): number {
  if (value === null || threshold === null) return -Infinity;
  const past = operator.startsWith('<') ? threshold - value : operator.startsWith('>') ? value - threshold : Math.abs(value - threshold);
  return past / Math.max(Math.abs(threshold), Number.MIN_VALUE);
}
