export { Alert, AlertDetail, AlertFilter, AlertTimelineEntry, ListAlerts } from './alert.ts';
export {
  AlertNote,
  AssignAlert,
  type BulkAction,
  BulkAlerts,
  BulkAnswer,
  BulkResult,
  CommentAlert,
  MissedAlert,
  ReportMissed,
  ResolveAlert,
} from './alert-handling.ts';
export { AlertStats, AskAlertStats } from './alert-stats.ts';
export { ApiKey, CreateApiKey, CreatedApiKey, ListApiKeys } from './api-key.ts';
export {
  Channel,
  ChannelHealth,
  ChannelKind,
  ChannelTest,
  CreateChannel,
  DeleteChannel,
  ListChannels,
  NotificationSettings,
  RotateSecret,
  UpdateChannel,
} from './channel.ts';
export { DeliveriesReplayed, Delivery, DeliveryAttempt, DeliveryDetail, ListDeliveries, ReplayDeliveries } from './delivery.ts';
export { Drill, DrillSchedule, ListDrills, PutDrillSchedule, StartDrill } from './drill.ts';
export { CreateEscalationPolicy, EscalationPolicy, EscalationPolicyList, PutEscalationPolicy } from './escalation-policy.ts';
export { type ErrorCode, errorDefinition, ERRORS, isErrorCode } from './error-codes.ts';
export { Event, IngestAnswer, ListEvents } from './event.ts';
export { Incident, IncidentAnswer, IncidentDetail, ListIncidents } from './incident.ts';
export { InboxCount, InboxMessage, ListInbox, MarkInbox, WatchInbox } from './inbox-message.ts';
export { ListMetricDefinitions, ListRulesOfMetric, MetricDefinition, UpdateMetricDefinition } from './metric-definition.ts';
export { ListMaintenanceWindows, MaintenanceWindow, PutMaintenanceWindow } from './maintenance-window.ts';
export { MetricList, MetricRange, QueryMetrics } from './metric-query.ts';
export { InstallPack, InstallPackQuery, Pack, PackInstallation, PackList, PackRemoval, PackSwitch } from './pack.ts';
export { Inhibitions, PutInhibitions, PutRoutes, Routes, RouteTest, TestRoutes } from './notification-list.ts';
export { type Page, pageOf } from './page.ts';
export { Backtest, BacktestRule, Preview, PreviewRule } from './preview.ts';
export { Problem, ProblemIssue } from './problem.ts';
export { CostOfRule, Evaluation, ListEvaluations, ListRuleCosts, ListRules, Rule, RuleCost, ShownRule, UnreadableRule } from './rule.ts';
export { EvaluatedNow } from './run.ts';
export { CreateRunbookAction, PutRunbookAction, RunbookAction, RunbookActionList } from './runbook-action.ts';
export { ScheduledRun } from './scheduled-run.ts';
export { ExplainRule, RuleExplanation } from './rule-explanation.ts';
export { RuleTest, TestRule } from './rule-test.ts';
export { ComparisonTrace, RuleTrace } from './rule-trace.ts';
export { PutSchedule, Schedule } from './schedule.ts';
export { ListSilences, PreviewSilence, PutSilence, Silence, SilenceAlert, SilencePreview, UnsilenceAlert } from './silence.ts';
export { CreateTenant, ListTenants, Tenant } from './tenant.ts';
