import type { AlertHandling, Notification } from './notification.ts';

/** What is still to be done about the alert a message tells of; nothing where it tells of several, is over, or never was. */
export function handlingOf({ kind, alert, group }: Pick<Notification, 'kind' | 'alert' | 'group'>): AlertHandling[] {
  if (kind === 'test' || kind === 'resolved' || alert.status === 'resolved' || group !== undefined) return [];
  return alert.status === 'acknowledged' ? ['silence'] : ['acknowledge', 'silence'];
}
