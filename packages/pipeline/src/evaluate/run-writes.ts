import {
  newId,
  snapshotOf,
  type AlertEvent,
  type AlertUpdate,
  type NewAlert,
  type NewTrigger,
  type OpenAlert,
  type ReminderTimer,
  type RuleNews,
  type SeriesRef,
  type SeriesWrite,
  type ToldAlert,
} from '@tocsin/db';
import { alertStatusAfter, alertTypeNameAt, isRemembered, needsSaving, type Change, type EpochMs } from '@tocsin/domain';
import { isOutdated, readingOf, typeNameOf } from './alert-reading.ts';
import type { RuleOutcome, SeriesOutcome } from './judge-rule.ts';

/** Everything a batch of runs changes, by table. Unchanged series are not in it. */
export interface RunWrites {
  series: SeriesWrite[];
  forgotten: SeriesRef[];
  opened: NewAlert[];
  updated: AlertUpdate[];
  timeline: AlertEvent[];
  /** `seq` is filled in for alerts that were open before, once their rows say which number is next. */
  triggers: NewTrigger[];
  reminders: ReminderTimer[];
  closed: { tenantId: string; id: string }[];
  rules: RuleNews[];
  /** Rules that were evaluated off their own grid, and when. */
  extra: { tenantId: string; ruleId: string; slotMs: EpochMs }[];
}

export function collectWrites(outcomes: readonly RuleOutcome[]): RunWrites {
  const writes: RunWrites = {
    series: [],
    forgotten: [],
    opened: [],
    updated: [],
    timeline: [],
    triggers: [],
    reminders: [],
    closed: [],
    rules: [],
    extra: [],
  };
  for (const outcome of outcomes) {
    for (const series of outcome.series) if (isChanged(outcome, series)) writeSeries(outcome, series, writes);
    for (const row of outcome.forgotten) writes.forgotten.push(row);
    const news = newsOf(outcome);
    if (news !== null) writes.rules.push(news);
    if (isExtra(outcome))
      writes.extra.push({ tenantId: outcome.run.tenantId, ruleId: outcome.planned.rule.id, slotMs: outcome.planned.slotMs });
  }
  return writes;
}

/** Whether the rule's outcome changes any row, and so has to be compared with what people did meanwhile. */
export const changesAnything = (outcome: RuleOutcome): boolean =>
  isExtra(outcome) ||
  outcome.forgotten.length > 0 ||
  outcome.series.some((series) => isChanged(outcome, series)) ||
  newsOf(outcome) !== null;

const isExtra = ({ run }: RuleOutcome): boolean => run.kind !== 'scheduled';

const isChanged = (outcome: RuleOutcome, series: SeriesOutcome): boolean =>
  isSeriesChanged(outcome, series) || isAlertChanged(outcome, series);

function isSeriesChanged(outcome: RuleOutcome, series: SeriesOutcome): boolean {
  const { known, step } = series;
  if (step.change !== null) return true;
  return known === null ? isRemembered(outcome, series) : needsSaving(known.state, step.state);
}

function isAlertChanged(outcome: RuleOutcome, series: SeriesOutcome): boolean {
  const open = series.known?.alert ?? null;
  if (open === null) return false;
  return open.status === 'triggered' || isOutdated(outcome.planned, open, series, excessOn(outcome, series));
}

/** Series past the alerts a rule may have are counted on the worst one, which comes first. */
function excessOn({ excess, series: all }: RuleOutcome, series: SeriesOutcome): number {
  if (excess === 0) return 0;
  const worst = all.find(({ step }) => step.state.phase === 'firing');
  return worst === series ? excess : 0;
}

function writeSeries(outcome: RuleOutcome, series: SeriesOutcome, writes: RunWrites): void {
  const { tenantId, id: ruleId } = outcome.planned.rule;
  const { known, step } = series;
  const ref = { tenantId, ruleId, seriesKey: series.judgement.seriesKey, version: known?.version ?? 0 };
  const alertId = known?.alert == null ? openAlert(outcome, series, writes) : carryAlert(outcome, series, known.alert, writes);
  if (step.reason === 'series_gone') writes.forgotten.push(ref);
  else if (isSeriesChanged(outcome, series)) writes.series.push({ ...ref, labels: series.judgement.labels, state: step.state, alertId });
}

/** Answers the alert's id; null when nothing fired. */
function openAlert(outcome: RuleOutcome, series: SeriesOutcome, writes: RunWrites): string | null {
  const { change } = series.step;
  if (change === null || (change.kind !== 'fired' && change.kind !== 'no_data') || outcome.planned.rule.compiled.isShadow) return null;
  const {
    planned: { rule, slotMs },
  } = outcome;
  const reading = readingOf(rule.compiled, series, null, excessOn(outcome, series));
  const alert: NewAlert = {
    tenantId: rule.tenantId,
    id: newId(),
    ruleId: rule.id,
    ruleKey: rule.key,
    ruleName: rule.name,
    seriesKey: series.judgement.seriesKey,
    labels: { ...rule.labels, ...series.judgement.labels },
    alertType: change.alertType,
    typeName: typeNameOf(rule.compiled, reading, change.alertType, change.severity),
    category: rule.packKey,
    severity: change.severity,
    reading,
    startedMs: slotMs,
    breachedMs: breachOf(series, slotMs),
  };
  writes.opened.push(alert);
  tell(outcome, series, change, { ...alert, status: 'triggered', resolvedMs: null, acknowledgedBy: null }, writes);
  remind(outcome, alert.id, writes);
  return alert.id;
}

/** A breach begins with the phase it is told from; one that is told at once begins at its slot. */
const breachOf = ({ known }: SeriesOutcome, slotMs: EpochMs): EpochMs =>
  known?.state.phase === 'pending' ? Math.min(known.state.sinceMs, slotMs) : slotMs;

/** Answers the alert's id; null once it is resolved. */
function carryAlert(outcome: RuleOutcome, series: SeriesOutcome, open: OpenAlert, writes: RunWrites): string | null {
  const {
    planned: { rule, slotMs },
  } = outcome;
  const { change, state } = series.step;
  const isOver = change?.kind === 'resolved';
  const severity = state.severityFired ?? series.known?.state.severityFired ?? series.judgement.severity;
  const reading = readingOf(rule.compiled, series, open.reading, excessOn(outcome, series));
  const typeName = alertTypeNameAt(open.typeName, severity);
  writes.updated.push({
    tenantId: rule.tenantId,
    id: open.id,
    severity,
    typeName,
    reading,
    slotMs,
    resolveReason: isOver ? change.why : null,
    tells: change !== null,
  });
  const status = alertStatusAfter(open.status, isOver ? 'ended' : 'still_open', 'evaluator') ?? open.status;
  if (change !== null) {
    const alert = {
      id: open.id,
      ruleName: rule.name,
      labels: open.labels,
      alertType: open.alertType,
      typeName,
      category: open.category,
      severity,
      reading,
      startedMs: open.startedMs,
      status,
      resolvedMs: isOver ? slotMs : null,
      // who has it by now is known once the alert's row is under lock
      acknowledgedBy: null,
    };
    tell(outcome, series, change, alert, writes);
    if (change.kind === 'escalated') remind(outcome, open.id, writes);
  } else {
    const kind = quietChange(series);
    if (kind !== null) note(outcome, series, open.id, kind, series.step.reason, writes);
  }
  if (!isOver) return open.id;
  writes.closed.push({ tenantId: rule.tenantId, id: open.id });
  return null;
}

/** What belongs on the timeline and is told to nobody; null: nothing. */
function quietChange({ known, step: { state } }: SeriesOutcome): string | null {
  if (known === null) return null;
  if (known.state.phase !== state.phase) return state.phase === 'recovering' ? 'recovering' : 'breaching_again';
  if (known.state.severityFired !== state.severityFired) return 'severity_changed';
  if (known.state.isFlapping !== state.isFlapping) return state.isFlapping ? 'flapping' : 'calmed_down';
  return null;
}

function tell(outcome: RuleOutcome, series: SeriesOutcome, change: Change, alert: ToldAlert, writes: RunWrites): void {
  const {
    planned: { rule, slotMs },
  } = outcome;
  note(outcome, series, alert.id, change.kind, change.kind === 'resolved' ? change.why : series.step.reason, writes);
  writes.triggers.push({
    tenantId: rule.tenantId,
    id: newId(),
    alertId: alert.id,
    ruleId: rule.id,
    seq: 1,
    kind: change.kind,
    severity: alert.severity,
    slotMs,
    snapshot: snapshotOf(alert),
  });
}

function note(
  { planned }: RuleOutcome,
  { judgement }: SeriesOutcome,
  alertId: string,
  kind: string,
  reason: string,
  writes: RunWrites,
): void {
  const { value, threshold, operator, samples, origin } = judgement.lead;
  writes.timeline.push({
    tenantId: planned.rule.tenantId,
    id: newId(),
    alertId,
    kind,
    reason,
    data: {
      slot: new Date(planned.slotMs).toISOString(),
      severity: judgement.severity,
      value,
      threshold,
      operator,
      samples,
      ...(origin === null ? {} : { origin }),
    },
  });
}

function remind({ planned: { rule, slotMs } }: RuleOutcome, alertId: string, writes: RunWrites): void {
  const { remindEveryMs } = rule.compiled;
  if (remindEveryMs === null) return;
  writes.reminders.push({ tenantId: rule.tenantId, id: newId(), alertId, dueMs: slotMs + remindEveryMs });
}

/** What the rule's own row has to say anew; null: nothing. */
function newsOf({ planned: { rule, slotMs }, head, series, health, healthReason }: RuleOutcome): RuleNews | null {
  const fired = series.filter(({ step }) => step.change?.kind === 'fired' || step.change?.kind === 'no_data').length;
  if (fired === 0 && health === head.health && healthReason === head.healthReason) return null;
  return { tenantId: rule.tenantId, ruleId: rule.id, health, healthReason, lastTriggeredMs: fired > 0 ? slotMs : null, newTriggers: fired };
}
