import type { AlertGroup } from './alert-group.ts';
import type { Aggregation } from './aggregations.ts';
import type { Operator } from './metric-query.ts';
import type { Origin } from './origin.ts';
import type { Labels } from './reading.ts';
import type { AlertStatus } from './alert-status.ts';
import type { AlertTypeName } from './alert-type-name.ts';
import type { AlertType } from './series-state.ts';
import type { Severity } from './severity.ts';
import type { LaterReason } from './tell-later.ts';

export const TRIGGER_KINDS = [
  'fired',
  'escalated',
  'reminded',
  'resolved',
  'no_data',
  'unsilenced',
  'acknowledged',
  'unacknowledged',
] as const;
/**
 * A change of an alert worth telling. `unsilenced`: what kept it from being told is over, and it is still open. `unacknowledged`: nobody has taken it in
 * hand for as long as an escalation policy allows.
 */
export type TriggerKind = (typeof TRIGGER_KINDS)[number];

/** An alert as it was at the slot of its trigger. Times are RFC 3339, UTC. Stored with the trigger, so a late message still says what was. */
export interface AlertSnapshot {
  id: string;
  /** The rule's name. */
  name: string;
  /** The kind of trouble; snapshots of older versions say the cause here. */
  alertType: AlertTypeName;
  /** What it is about: a breach, missing data or a query that fails. Absent in snapshots of older versions. */
  cause?: AlertType;
  /** The pack its rule came with; absent: none. */
  category?: string;
  status: AlertStatus;
  /** Who has it; absent: nobody has acknowledged it. */
  acknowledgedBy?: string;
  severity: Severity;
  /** As the rule's author calls it: a catalogue metric, a measure, a dimension, or `events`. */
  metric: string;
  aggregation: Aggregation;
  operator: Operator;
  /** Null: no reading. */
  value: number | null;
  /** Null: not known. */
  threshold: number | null;
  /** In the words of `formatValue`; null: a bare number. */
  unit: string | null;
  /** Duration, `15m`. */
  window: string;
  samples: number;
  /** Where the threshold came from, or the value; absent: the rule says the one, and the other was read. */
  origin?: Origin;
  /** The same in words. */
  why?: string;
  /** Present: it changes so often that all of it is one alert. */
  flapping?: true;
  /** Present: this end tells its beginning too, which could not be sent before. A sentence. */
  folded?: string;
  /** Of one that is over: the worst value there was. Absent: none is known. */
  peak?: number;
  /** Present: so many more series breach than the rule may have alerts. */
  excess?: number;
  /** Of `unacknowledged` alone: for how long nobody has it, a duration. */
  unacknowledgedFor?: string;
  labels: Labels;
  startedAt: string;
  /** Null while open. */
  resolvedAt: string | null;
  /** The alert's page; null where no public URL is configured. */
  url: string | null;
}

export interface RuleName {
  id: string;
  key: string;
  name: string;
}

/** The rule's annotations with their templates filled in. */
export interface NotificationContext {
  summary?: string;
  description?: string;
  runbookUrl?: string;
  [name: string]: string | undefined;
}

/**
 * What a message tells. `test`: a made-up alert that takes the same way. `undelivered`: another channel could not be told of this alert, so
 * it is told here. `channel_failing`: the same, of the message at which another channel turned out to fail again and again.
 */
export type MessageKind = TriggerKind | 'test' | 'undelivered' | 'channel_failing';

/** The channel that was not reached, by its key, and why, in a code. */
interface Undelivered {
  channel: string;
  reason: string;
}

/** The channel that fails, by its key. */
export interface FailingChannel {
  channel: string;
  /** Of its last failure, in a code. */
  reason: string;
  /** Attempts in a row that failed. */
  failures: number;
  /** RFC 3339: of the first of them. */
  since: string;
}

export const ALERT_HANDLINGS = ['acknowledge', 'silence'] as const;
/** What people can do about an alert from within a message. */
export type AlertHandling = (typeof ALERT_HANDLINGS)[number];

/** What a channel renders. */
export interface Notification {
  /** Stays the same through every attempt. */
  deliveryId: string;
  kind: MessageKind;
  /** RFC 3339: the instant of the trigger. */
  timestamp: string;
  tenant: { id: string; externalKey: string };
  alert: AlertSnapshot;
  rule: RuleName;
  context: NotificationContext;
  /** Of kind `undelivered` alone. */
  undelivered?: Undelivered;
  /** Of kind `channel_failing` alone. */
  failing?: FailingChannel;
  /** Present: it tells of several alerts, of which `alert` is the worst. */
  group?: AlertGroup;
  /** Present: it waited for that. */
  waited?: LaterReason;
  /** Pages that act on `alert` with one tap, in channels for people. Absent: nothing is to be done, or no public URL is configured. */
  handle?: Partial<Record<AlertHandling, string>>;
}

/** The body of a webhook, in the words receivers know. */
export interface WebhookBody {
  /** The delivery's id: a repeated send is recognised by it. */
  id: string;
  type: `alert.${Exclude<MessageKind, 'test' | 'channel_failing'>}` | 'channel.failing' | 'test';
  timestamp: string;
  tenant: { id: string; externalKey: string };
  data: {
    alert: AlertSnapshot;
    rule: RuleName;
    context: NotificationContext;
    /** Of type `alert.undelivered` alone. */
    undelivered?: Undelivered;
    /** Of type `channel.failing` alone. */
    failing?: FailingChannel;
    /** Present: it tells of several alerts, of which `alert` is the worst. */
    group?: AlertGroup;
    /** Present: it waited for the end of the channel's quiet hours, or for its digest. */
    waited?: LaterReason;
  };
}
