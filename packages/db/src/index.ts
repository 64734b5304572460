export { openAdvisoryTurn, type AdvisoryTurn } from './advisory-turn.ts';
export { checkDatabase, checkMigrations, DatabaseUnfit } from './check-database.ts';
export { MIGRATIONS_FOLDER, migrate, type MigrateOptions } from './migrate.ts';
export { isUuid } from './is-uuid.ts';
export { newId } from './new-id.ts';
export { placeOfSecrets } from './place-of-secrets.ts';
export { openDatabase, type Database, type DatabaseOptions, type Sql } from './open-database.ts';
export { isRetryable, sqlState, tookTooLong } from './sql-state.ts';
export {
  type DrizzleTx,
  setTenants,
  type SqlTx,
  withPipeline,
  withTenant,
  withTenants,
  withTenantsCopy,
  withTenantsSql,
  type CopyClient,
  type Snapshot,
} from './with-tenants.ts';

export type { AlertEventRow, AlertRow, MissedAlertRow, TriggerRow } from './tables/alerts.ts';
export type { ChannelRow, InboxRow, NotificationSettingsRow } from './tables/channels.ts';
export type { DeliveryRow } from './tables/deliveries.ts';
export type { DrillChannel, DrillRow, DrillScheduleRow, DrillStages } from './tables/drills.ts';
export type { EscalationPolicyRow, RunbookActionRow } from './tables/escalation.ts';
export type { IncidentRow } from './tables/incidents.ts';
export type { MaintenanceWindowRow, NotificationListRow, SilenceRow } from './tables/muting.ts';
export type { MetricDefinitionRow } from './tables/metric-definitions.ts';
export type { InstalledPackRow } from './tables/packs.ts';
export type { AuditEventRow } from './tables/requests.ts';
export type { RuleCostRow, RuleRow, RuleVersionRow } from './tables/rules.ts';
export type { RunKind, RunRow, RunStatus } from './tables/runs.ts';
export type { ApiKeyRow, ScheduleRow, TenantRow } from './tables/tenants.ts';

export * from './queries/alert-silences.ts';
export * from './queries/alert-snapshot.ts';
export * from './queries/alert-timers.ts';
export * from './queries/alerts-of-run.ts';
export * from './queries/alerts.ts';
export * from './queries/archive-alerts.ts';
export * from './queries/alert-stats.ts';
export * from './queries/handle-alerts.ts';
export * from './queries/missed-alerts.ts';
export * from './queries/resolve-by-hand.ts';
export * from './queries/api-keys.ts';
export * from './queries/arrival-runs.ts';
export * from './queries/audit.ts';
export * from './queries/backlog.ts';
export * from './queries/channel-health.ts';
export * from './queries/channel-threads.ts';
export * from './queries/channels-for-delivery.ts';
export * from './queries/channels.ts';
export * from './queries/close-alerts-of-rule.ts';
export * from './queries/database-time.ts';
export * from './queries/dead-notices.ts';
export * from './queries/deliveries-list.ts';
export * from './queries/deliveries.ts';
export * from './queries/delivery-attempts.ts';
export * from './queries/maintenance-windows.ts';
export * from './queries/metric-definitions.ts';
export * from './queries/mutes.ts';
export * from './queries/notification-lists.ts';
export * from './queries/open-deliveries.ts';
export * from './queries/due-metric-definitions.ts';
export * from './queries/drill-stages.ts';
export * from './queries/drills.ts';
export * from './queries/due-work.ts';
export * from './queries/escalation-policies.ts';
export * from './queries/escalations.ts';
export * from './queries/event-lags.ts';
export * from './queries/event-names.ts';
export * from './queries/fallbacks.ts';
export * from './queries/folding.ts';
export * from './queries/message-windows.ts';
export * from './queries/tell-later.ts';
export * from './queries/former-secrets.ts';
export * from './queries/hour-versions.ts';
export * from './queries/idempotency.ts';
export * from './queries/incidents.ts';
export * from './queries/link-incidents.ts';
export * from './queries/inbox-list.ts';
export * from './queries/inbox.ts';
export * from './queries/ingest-keys.ts';
export * from './queries/lease-runs.ts';
export * from './queries/owner-notices.ts';
export * from './queries/partials.ts';
export * from './queries/packs.ts';
export * from './queries/partitions.ts';
export * from './queries/refresh-schedule.ts';
export * from './queries/rule-references.ts';
export * from './queries/reopen-delivery.ts';
export * from './queries/retention.ts';
export * from './queries/rule-look.ts';
export * from './queries/rule-costs.ts';
export * from './queries/rule-quarantine.ts';
export * from './queries/rules-of-run.ts';
export * from './queries/runbook-actions.ts';
export * from './queries/rules.ts';
export * from './queries/runs.ts';
export * from './queries/schedule.ts';
export * from './queries/schedules.ts';
export * from './queries/new-segments.ts';
export * from './queries/segments.ts';
export * from './queries/series-states.ts';
export * from './queries/standing.ts';
export * from './queries/silences.ts';
export * from './queries/tenants.ts';
export * from './queries/told-at-slot.ts';
export * from './queries/triggers-of-run.ts';
export * from './queries/triggers.ts';
