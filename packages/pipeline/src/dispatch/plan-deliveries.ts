import { channelOf } from '@tocsin/channels';
import type { ChannelToPlan, HeardChannel, PendingTrigger } from '@tocsin/db';
import { isAtLeast, muteOf, routesTaken, type Muted, type MuteReason, type Mutes, type Route, type TriggerKind } from '@tocsin/domain';

/** One channel of a trigger: to be sent, or why not. */
export interface PlannedDelivery {
  channelId: string | null;
  channelKey: string;
  channelKind: string;
  suppressed: SuppressReason | null;
  /** The id of what muted it; null: nothing did. */
  suppressedBy: string | null;
}

type SuppressReason = 'below_min_severity' | 'channel_disabled' | 'channel_missing' | 'never_told' | MuteReason;

/** Why a trigger is told to nobody at all. */
export type SilentReason =
  | SuppressReason
  | 'no_channels'
  | 'rule_deleted'
  | 'nobody_told'
  | 'nobody_asked'
  | 'told_already'
  | 'all_suppressed';

/** What is known of a tenant when a trigger of its is planned. */
export interface Known {
  /** Those that may be wanted, at least. */
  channels: readonly ChannelToPlan[];
  routes: readonly Route[];
  mutes: Mutes;
  /** Where earlier messages of the alert were meant for. */
  heard: readonly HeardChannel[];
}

export interface Plan {
  deliveries: PlannedDelivery[];
  /** Why nobody hears of it; null: somebody does. */
  silent: SilentReason | null;
  /** What kept somebody from hearing of it who is to hear of it once that is over, if the alert is open then. */
  muted: Muted | null;
}

/** What a plan asks of a trigger and its alert. */
export interface ToPlan extends Pick<PendingTrigger, 'alertId' | 'kind' | 'severity' | 'notify' | 'labels' | 'silencedUntilMs' | 'nowMs'> {
  ruleKey: string;
  alertType: string;
}

/** Who hears of a trigger, and who does not and why. The one place where that is decided. */
export function plan(trigger: ToPlan, known: Known): Plan {
  if (trigger.kind === 'resolved') return planned(trigger, planForEnd(known.heard), null);
  const wanted = wantedOf(trigger, known);
  const muted = muteOf(matched(trigger), known.mutes, trigger.nowMs);
  if (muted === null) return planned(trigger, wanted, null);
  const deliveries = wanted.map((each) =>
    each.suppressed === null ? { ...each, suppressed: muted.reason, suppressedBy: muted.by } : each,
  );
  const isNews = !OF_THE_MOMENT.has(trigger.kind) && deliveries.some(({ suppressedBy }) => suppressedBy !== null);
  return planned(trigger, deliveries, isNews ? muted : null);
}

/** What is not made up for later. */
const OF_THE_MOMENT: ReadonlySet<TriggerKind> = new Set(['reminded', 'acknowledged', 'unacknowledged']);

function wantedOf(trigger: ToPlan, { heard, routes, channels }: Known): PlannedDelivery[] {
  if (trigger.kind === 'acknowledged') return planForAcknowledged(heard, wantsAcknowledged);
  if (trigger.kind === 'unsilenced') return planForMuted(heard);
  return planForRule(wantedBy(trigger, routes), channels);
}

const wantsAcknowledged = (kind: string): boolean => channelOf(kind)?.hears?.includes('acknowledged') ?? false;

const planned = (trigger: ToPlan, deliveries: PlannedDelivery[], muted: Muted | null): Plan => ({
  deliveries,
  silent: silentReason(trigger, deliveries),
  muted,
});

const matched = ({ alertId: id, ...trigger }: ToPlan) => ({ ...trigger, id });

/** The channels of the rule and of the routes that the alert takes. Null: the rule is deleted. */
function wantedBy(trigger: ToPlan, routes: readonly Route[]): Pick<PendingTrigger, 'notify' | 'severity'> {
  const { kind, notify, severity } = trigger;
  // an escalation names who hears of it
  if (notify === null || kind === 'unacknowledged') return { notify, severity };
  const routed = routesTaken(routes, matched(trigger)).flatMap((index) => routes[index]?.channels ?? []);
  return { notify: [...notify, ...routed], severity };
}

/** Who hears of an alert that opens or goes on: the channels that are named. */
export function planForRule(trigger: Pick<PendingTrigger, 'notify' | 'severity'>, channels: readonly ChannelToPlan[]): PlannedDelivery[] {
  const byKey = new Map(channels.map((channel) => [channel.key, channel]));
  // a channel listed twice hears once, by its laxest entry
  const wanted = new Map<string, boolean>();
  for (const { channel, minSeverity } of trigger.notify ?? []) {
    wanted.set(channel, (wanted.get(channel) ?? false) || isAtLeast(trigger.severity, minSeverity));
  }
  return [...wanted].map(([key, isWorthIt]) => {
    const channel = byKey.get(key);
    if (channel === undefined) return { ...nowhere(key), suppressed: 'channel_missing' };
    const suppressed = !channel.enabled ? 'channel_disabled' : !isWorthIt ? 'below_min_severity' : null;
    return { channelId: channel.id, channelKey: key, channelKind: channel.kind, suppressed, suppressedBy: null };
  });
}

const nowhere = (channelKey: string) => ({ channelId: null, channelKey, channelKind: 'unknown', suppressedBy: null });

/** Who hears that an alert is over: exactly those who heard, or may yet hear, that it was on. What the rule, routes and silences say by now is no matter. */
export function planForEnd(heard: readonly HeardChannel[]): PlannedDelivery[] {
  return heard.map((channel) => ({ ...towards(channel), suppressed: channel.told ? outOfReach(channel) : 'never_told' }));
}

/** Who hears that an alert is not muted any more: those who would have heard before. */
function planForMuted(heard: readonly HeardChannel[]): PlannedDelivery[] {
  return heard.filter(({ muted }) => muted).map((channel) => ({ ...towards(channel), suppressed: outOfReach(channel) }));
}

const towards = ({ id, key, kind }: HeardChannel) => ({ channelId: id, channelKey: key, channelKind: kind, suppressedBy: null });

const outOfReach = ({ id, enabled }: HeardChannel) => (id === null ? 'channel_missing' : !enabled ? 'channel_disabled' : null);

/** Who hears that somebody has it: of those who heard that it was on, the kinds that want to. Nothing is written down for the others. */
export function planForAcknowledged(heard: readonly HeardChannel[], wants: (kind: string) => boolean): PlannedDelivery[] {
  const willing = heard.filter(({ id, kind, enabled, told }) => id !== null && enabled && told && wants(kind));
  return willing.map(({ id, key, kind }) => ({ channelId: id, channelKey: key, channelKind: kind, suppressed: null, suppressedBy: null }));
}

/** Null: somebody is to hear. */
export function silentReason(
  trigger: Pick<PendingTrigger, 'kind' | 'notify'>,
  deliveries: readonly PlannedDelivery[],
): SilentReason | null {
  const [first] = deliveries;
  if (first === undefined) {
    if (trigger.kind === 'acknowledged') return 'nobody_asked';
    if (trigger.kind === 'resolved') return 'nobody_told';
    if (trigger.kind === 'unsilenced') return 'told_already';
    return trigger.notify === null ? 'rule_deleted' : 'no_channels';
  }
  if (deliveries.some(({ suppressed }) => suppressed === null)) return null;
  return deliveries.every(({ suppressed }) => suppressed === first.suppressed) ? first.suppressed : 'all_suppressed';
}
