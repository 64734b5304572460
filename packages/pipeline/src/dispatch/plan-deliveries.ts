import type { ChannelToPlan, HeardChannel, PendingTrigger } from '@tocsin/db';
import { isAtLeast } from '@tocsin/domain';

/** One channel of a trigger: to be sent, or why not. */
export interface PlannedDelivery {
  channelId: string | null;
  channelKey: string;
  channelKind: string;
  suppressed: SuppressReason | null;
}

type SuppressReason = 'below_min_severity' | 'channel_disabled' | 'channel_missing' | 'never_told';

/** Why a trigger is told to nobody at all. */
export type SilentReason = SuppressReason | 'no_channels' | 'rule_deleted' | 'nobody_told' | 'nobody_asked' | 'all_suppressed';

/** Who hears of an alert that opens or goes on: the channels of its rule. */
export function planForRule(trigger: Pick<PendingTrigger, 'notify' | 'severity'>, channels: readonly ChannelToPlan[]): PlannedDelivery[] {
  const byKey = new Map(channels.map((channel) => [channel.key, channel]));
  // a channel listed twice hears once, by its laxest entry
  const wanted = new Map<string, boolean>();
  for (const { channel, minSeverity } of trigger.notify ?? []) {
    wanted.set(channel, (wanted.get(channel) ?? false) || isAtLeast(trigger.severity, minSeverity));
  }
  return [...wanted].map(([key, isWorthIt]) => {
    const channel = byKey.get(key);
    if (channel === undefined) return { channelId: null, channelKey: key, channelKind: 'unknown', suppressed: 'channel_missing' };
    const suppressed = !channel.enabled ? 'channel_disabled' : !isWorthIt ? 'below_min_severity' : null;
    return { channelId: channel.id, channelKey: key, channelKind: channel.kind, suppressed };
  });
}

/** Who hears that an alert is over: exactly those who heard, or may yet hear, that it was on. What the rule says by now is no matter. */
export function planForEnd(heard: readonly HeardChannel[]): PlannedDelivery[] {
  return heard.map(({ id, key, kind, enabled, told }) => {
    const suppressed = !told ? 'never_told' : id === null ? 'channel_missing' : !enabled ? 'channel_disabled' : null;
    return { channelId: id, channelKey: key, channelKind: kind, suppressed };
  });
}

/** Who hears that somebody has it: of those who heard that it was on, the kinds that want to. Nothing is written down for the others. */
export function planForAcknowledged(heard: readonly HeardChannel[], wants: (kind: string) => boolean): PlannedDelivery[] {
  const willing = heard.filter(({ id, kind, enabled, told }) => id !== null && enabled && told && wants(kind));
  return willing.map(({ id, key, kind }) => ({ channelId: id, channelKey: key, channelKind: kind, suppressed: null }));
}

/** Null: somebody is to hear. */
export function silentReason(trigger: PendingTrigger, planned: readonly PlannedDelivery[]): SilentReason | null {
  const [first] = planned;
  if (first === undefined) {
    if (trigger.kind === 'acknowledged') return 'nobody_asked';
    if (trigger.kind === 'resolved') return 'nobody_told';
    return trigger.notify === null ? 'rule_deleted' : 'no_channels';
  }
  if (planned.some(({ suppressed }) => suppressed === null)) return null;
  return planned.every(({ suppressed }) => suppressed === first.suppressed) ? first.suppressed : 'all_suppressed';
}
