import { channelOf } from '@tocsin/channels';
import { newId, snapshotOf, type SqlTx } from '@tocsin/db';
import {
  MUTE_REASONS,
  type Change,
  type EpochMs,
  type Labels,
  type MessageKind,
  type RuleName,
  type RuleSpec,
  type Severity,
  type Simulation,
} from '@tocsin/domain';
import { readingOf, typeNameOf } from '../evaluate/alert-reading.ts';
import { whoHears } from '../dispatch/who-hears.ts';
import { notificationOf } from './notification-of.ts';

/** What one channel would get. */
export interface SampleMessage {
  kind: MessageKind;
  channel: string;
  /** Null: there is no such channel. */
  channelKind: string | null;
  /** Why nothing would be sent; null: it would be. */
  suppressed: string | null;
  /** As it would be sent; null: nothing would be, or it cannot be put into words. */
  body: string | null;
}

export interface Teller {
  tenantId: string;
  tenantExternalKey: string;
  rule: RuleName;
  labels: Labels;
  /** The pack of the rule; null: none. */
  category: string | null;
  annotations: Readonly<Record<string, string>>;
  notify: RuleSpec['notify'];
  publicUrl: string | null;
}

/**
 * The messages about the changes of a simulation, for each channel that would hear now, in words of the channel's own `render`. Of a channel only its kind and
 * whether it is switched on are looked at, so no secret can be in them. Ids of alerts and deliveries are made up.
 */
export async function messagesOf(sql: SqlTx, teller: Teller, simulation: Simulation): Promise<SampleMessage[]> {
  const alertId = newId();
  const [first] = simulation.changes;
  const startedMs = first?.slotMs ?? 0;
  const fired = severityOf(first?.change) ?? 'warning';
  const alertType =
    first === undefined
      ? 'custom'
      : typeNameOf(simulation.rule, readingOf(simulation.rule, first.stepped, null, 0), causeOf(first.change), fired);
  // Who hears of the end is who heard of the beginning.
  const { deliveries } = await whoHears(sql, { ...teller, labels: { ...teller.labels, ...simulation.labels }, severity: fired, alertType });
  return simulation.changes.flatMap(({ slotMs, change, stepped }) => {
    const severity = severityOf(change) ?? fired;
    const isOver = change.kind === 'resolved';
    const reading = readingOf(simulation.rule, stepped, null, 0);
    const cause = causeOf(change);
    const snapshot = snapshotOf({
      id: alertId,
      ruleName: teller.rule.name,
      labels: { ...teller.labels, ...simulation.labels },
      alertType: cause,
      typeName: typeNameOf(simulation.rule, reading, cause, severity),
      category: teller.category,
      status: isOver ? 'resolved' : 'triggered',
      severity,
      reading,
      startedMs,
      resolvedMs: isOver ? slotMs : null,
      acknowledgedBy: null,
    });
    return deliveries.map(({ channelKey, channelId, channelKind, suppressed }): SampleMessage => {
      const silent = simulation.rule.isShadow ? 'shadow' : isOver && isUntold(suppressed) ? 'never_told' : suppressed;
      const told = { snapshot, createdMs: slotMs, rule: teller.rule, annotations: teller.annotations };
      const body = silent === null ? rendered(channelKind, { ...teller, id: newId(), kind: change.kind, told, nowMs: slotMs }) : null;
      return { kind: change.kind, channel: channelKey, channelKind: channelId === null ? null : channelKind, suppressed: silent, body };
    });
  });
}

const isUntold = (suppressed: string | null): boolean =>
  suppressed === 'below_min_severity' || MUTE_REASONS.some((reason) => reason === suppressed);

const causeOf = (change: Change) => ('alertType' in change ? change.alertType : 'threshold');

const severityOf = (change: Change | undefined): Severity | null => (change !== undefined && 'severity' in change ? change.severity : null);

type Telling = Parameters<typeof notificationOf>[0] & { nowMs: EpochMs; publicUrl: string | null };

function rendered(kind: string, telling: Telling): string | null {
  return channelOf(kind)?.render(notificationOf(telling, telling.publicUrl)) ?? null;
}
