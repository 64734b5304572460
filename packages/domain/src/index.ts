export { AGGREGATION_FACTS, AGGREGATIONS, type Aggregation } from './aggregations.ts';
export { groupOf, worstMember, type AlertGroup, type GroupedAlert, type GroupMember, type GroupReason } from './alert-group.ts';
export { GROUP_WINDOW_MS, groupScope, isStorm, placeInGroup, STORM_WINDOW_MS } from './hold-back.ts';
export { ALERT_STATUSES, alertStatusAfter, type AlertActor, type AlertMove, type AlertStatus } from './alert-status.ts';
export { ALERT_TYPE_NAMES, alertTypeNameAt, alertTypeNameOf, type AlertTypeName } from './alert-type-name.ts';
export { endByHand } from './end-by-hand.ts';
export type { SeriesAnswers } from './series-answers.ts';
export { advance, firstState, needsSaving, type SlotTime, type StepRule } from './advance.ts';
export { cannotUnhappen } from './cannot-unhappen.ts';
export { METRIC_NAMES, METRICS, type MetricName } from './catalogue.ts';
export type { Clock, EpochMs } from './clock.ts';
export { compileRule } from './compile-rule.ts';
export type { Comparison, CompiledRule, ConditionNode, HistoryInput, Level, Limit, WindowInput } from './compiled-rule.ts';
export { CONNECTION_HEADERS } from './connection-headers.ts';
export { hasControlCharacters } from './control-characters.ts';
export { finestStep, readCron, type CronInstants } from './cron.ts';
export { DRILL_EVENT, DRILL_PREFIX, drillRule } from './drill.ts';
export { deliveryReasonWords } from './delivery-reason-words.ts';
export { DELIVERY_STATUSES, type DeliveryStatus } from './delivery-status.ts';
export { describeRule } from './describe-rule.ts';
export { type ActiveHours, activeFrom, isActive, minuteOfDay, type Weekday, WEEKDAYS } from './active-hours.ts';
export { type Calendar, placed, planCalendarClaim, slotAfter, stepOf } from './calendar.ts';
export { isTimeZone } from './wall-clock.ts';
export { formatDuration, parseDuration } from './duration.ts';
export { formatValue } from './format-value.ts';
export type { Issue, IssueCode } from './issue.ts';
export {
  HISTORY_STEP_MS,
  type HistoryQuery,
  type HistoryRequest,
  type HistoryResult,
  type HistorySource,
  type SeriesHistory,
} from './history.ts';
export { hoursNeededBy, isLongWindow, type HoursNeed } from './hours-needed.ts';
export { judge, type Circumstances, type Fits, type Judged, type KnownSeries } from './judge.ts';
export { type MetricDefinition, readSavedQuery, SavedQuery } from './metric-definition.ts';
export {
  closestBeginnings,
  type MaintenanceTimes,
  type Occurrence,
  occurrenceAt,
  occurrencesFrom,
  type Recurrence,
  shownAt,
} from './maintenance.ts';
export { labelOf, type MatchedAlert, Matcher, Matchers, MATCHERS_MAX, matches, valuesWanted } from './matchers.ts';
export {
  Inhibition,
  INHIBITIONS_MAX,
  MUTE_REASONS,
  type Muted,
  type MuteReason,
  type Mutes,
  muteOf,
  NO_MUTES,
  type OpenMatched,
  type Quiet,
} from './mutes.ts';
export { isQuietForever, quietUntil, type QuietHours, type QuietWindow } from './quiet-hours.ts';
export {
  type Digest,
  endOf,
  type Later,
  laterKey,
  type LaterReason,
  LATER_REASONS,
  laterReasonOf,
  toldLater,
  type ToldWhen,
} from './tell-later.ts';
export { ESCALATION_BOUNDS, type EscalationPolicy, type EscalationStep } from './escalation.ts';
export { escalationNow, type EscalationNow } from './escalation-now.ts';
export { linkIncidents, type LinkableAlert, type LinkableIncident, type Linked, sharedLabels } from './link-incidents.ts';
export { ACTION_EVENTS, actionChannelKey, actionEventOf, type ActionEvent, isActionChannel } from './runbook-action.ts';
export { OPERATORS, type Filter, type MetricQuery, type Operator, type Subject } from './metric-query.ts';
export {
  ALERT_HANDLINGS,
  TRIGGER_KINDS,
  type AlertHandling,
  type AlertSnapshot,
  type FailingChannel,
  type MessageKind,
  type Notification,
  type NotificationContext,
  type RuleName,
  type TriggerKind,
  type WebhookBody,
} from './notification.ts';
export { Route, ROUTES_MAX, routesTaken } from './routes.ts';
export { parseRule, type ParsedRule } from './parse-rule.ts';
export { parseMetricDefinition, type ParsedMetricDefinition } from './parse-metric-definition.ts';
export { parseMetricQuery } from './parse-query.ts';
export { readStoredRule, type StoredRule } from './read-stored-rule.ts';
export { didYouMean, nearestName } from './nearest-name.ts';
export { can, PERMISSIONS, ROLES, type Permission, type Role } from './permissions.ts';
export type { RangeQuery, RangeRequest, RangeResult, RangeSeriesReading, RangeSource, RangeWindow } from './range-reading.ts';
export { fittingDelayMs, nextDelayMs } from './auto-delay.ts';
export { addLags, LAG_BUCKETS, lagBucket, lagWithin, type LagCounts } from './lag.ts';
export {
  seriesKey,
  type Labels,
  type MetricSource,
  type QueryResult,
  type ReadingCost,
  type ReadRequest,
  type RuleSeries,
  type SeriesChoice,
  type SeriesReading,
  type WindowedQuery,
} from './reading.ts';
export { answersOf } from './answers-of.ts';
export { leadWindow } from './lead-window.ts';
export { phaseAfter } from './phase-after.ts';
export { simulateRule, type Simulation } from './simulate-rule.ts';
export { slotText, type SlotStory } from './slot-text.ts';
export { traceCondition, type ComparisonTrace, type SeriesTrace, type TraceNode } from './trace-condition.ts';
export { worstFirst } from './worst-first.ts';
export { isRemembered, stepRule, type RememberedSeries, type RuleStep, type SteppedSeries } from './step-rule.ts';
export { replayRule, slotsToReplay, type Replay, type ReplayedSeries, type ReplaySlots } from './replay-rule.ts';
export { countReplay, type MutedUntil, warningsOf, type PreviewWarning, type ReplayCounts } from './summarize-replay.ts';
export { cycleFrom, referencesFirst, standsSo } from './rule-standings.ts';
export { handlingOf } from './handling-of.ts';
export { historySpan } from './history-span.ts';
export { windowsAt } from './windows-at.ts';
export type { NotReadyReason, Origin } from './origin.ts';
export { originWords } from './origin-words.ts';
export { expectedAt, fitModel, type Fit, type HistoryModel } from './fit-model.ts';
export { periodAt, type PeriodWindow } from './period.ts';
export { PLATFORM_KEY, PLATFORM_TENANT_ID } from './platform.ts';
export { renderTemplate, type TemplateValues } from './render-template.ts';
export { expiresAt, FAILING_AFTER, isExpired, RETRY, retryDelay, verdictOfStatus } from './retry.ts';
export { parseRetryAfter } from './retry-after.ts';
export { RULE_BOUNDS, type RuleBounds } from './rule-bounds.ts';
export { ComparisonSpec, ConditionSpec, leavesOf, RuleSpec, type LeafSpec, type RuleStanding } from './rule-spec.ts';
export { SAVED_METRIC_MEASURE, SAVED_METRIC_PREFIX, savedMetricName, type SavedMetrics } from './saved-metric.ts';
export { savedMetricsIn } from './saved-metrics-in.ts';
export {
  ALERT_TYPES,
  HEALTHS,
  PHASES,
  type AlertType,
  type Change,
  type Health,
  type Judgement,
  type LeadReading,
  type Phase,
  type Reason,
  type ResolveReason,
  type SeriesState,
  type Step,
  type Verdict,
} from './series-state.ts';
export { isAtLeast, isWorse, SEVERITIES, type Severity } from './severity.ts';
export { latestSlotIn, nextSlot, phaseOf, planClaim, type ClaimPlan } from './slots.ts';
