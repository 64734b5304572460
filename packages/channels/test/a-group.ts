import { groupOf, type AlertSnapshot, type GroupReason, type Notification } from '@tocsin/domain';
import { aNotification } from './a-notification.ts';

/** A message of 14 alerts of three rules, two of them over, whose worst has the series `operation=worst`. */
export function aGroup(change: Partial<AlertSnapshot> = {}, reason: GroupReason = 'storm'): Notification {
  const members = Array.from({ length: 14 }, (_, index) => {
    const { alert, rule } = aNotification({
      alert: {
        id: `alert-${index}`,
        labels: { operation: index === 0 ? 'worst' : `op-${index}` },
        value: index === 0 ? 9_000 : 2_000 - index,
        ...(index < 12 ? {} : { status: 'resolved', resolvedAt: '2026-03-01T12:11:00.000Z' }),
        ...change,
      },
    });
    return { snapshot: alert, rule: { ...rule, id: `rule-${index % 3}` } };
  });
  const [worst] = members;
  return aNotification({ alert: worst!.snapshot, rule: worst!.rule, group: groupOf(members, reason, isLater(reason) ? 12 : undefined) });
}

const isLater = (reason: GroupReason): boolean => reason === 'quiet_hours' || reason === 'digest';
