import type { TriggerKind } from './notification.ts';

export const ACTION_EVENTS = ['fired', 'acknowledged', 'resolved'] as const;
/** What a runbook action hangs on. */
export type ActionEvent = (typeof ACTION_EVENTS)[number];

const PREFIX = 'action/';

/** The key of the channel through which an action's calls go. No channel of people's can have it. */
export const actionChannelKey = (actionKey: string): string => PREFIX + actionKey;

export const isActionChannel = (channelKey: string): boolean => channelKey.startsWith(PREFIX);

/** Null: nothing hangs on that. An alert opens by a breach as by missing data. */
export function actionEventOf(kind: TriggerKind): ActionEvent | null {
  if (kind === 'fired' || kind === 'no_data') return 'fired';
  return kind === 'acknowledged' || kind === 'resolved' ? kind : null;
}
