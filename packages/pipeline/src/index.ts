export {
  archiveVariables,
  durationVariable,
  evaluationBounds,
  evaluationVariables,
  numberVariable,
  readingVariables,
  retentionOf,
} from './bound-variables.ts';
export type { EvaluationBounds } from './evaluate/evaluation-bounds.ts';
export type { PipelineDeps } from './pipeline-deps.ts';
export { openArrivals, type Arrivals } from './arrival/open-arrivals.ts';
export { runScheduler } from './schedule/run-scheduler.ts';
export { claimDueSlots, type ClaimedSlots } from './schedule/claim-due-slots.ts';
export { queueRun, type QueuedRun, type WantedRun } from './schedule/queue-run.ts';
export { runDueTenants, type TenantOutcome } from './schedule/run-due-tenants.ts';
export { waitForRuns } from './schedule/wait-for-runs.ts';
export { sweep } from './sweep/sweep.ts';
export { startEvaluator, type EvaluatorDeps } from './evaluate/start-evaluator.ts';
export { lookAtRule, rememberedOf, type RuleLook } from './evaluate/look-at-rule.ts';
export { hintPreparation } from './maintain/prepare-hours.ts';
export { startMetricRecorder } from './saved-metrics/start-metric-recorder.ts';
export { startMaintenance } from './maintain/start-maintenance.ts';
export { DEFAULT_RETENTION, type MaintenanceDeps, type Retention } from './maintain/tasks.ts';
export { openKnownFits, type KnownFits } from './evaluate/known-fits.ts';
export { NotPlayed, playRule, PREVIEW_SLOTS_MAX, type Play, type PlayDeps, type Played } from './preview/play-rule.ts';
export { openPipeline, pipelineChecks, pipelineVariables, type PipelineOptions } from './open-pipeline.ts';
export { deliveryVariables, openDelivery, type DeliveryOptions } from './deliver/open-delivery.ts';
export type { DeliveryDeps } from './deliver/delivery-deps.ts';
export { LINK_LIFETIME_MS, readLink, signLinks, unsignedLink, type AlertLink } from './deliver/alert-link.ts';
export { messagesOf } from './deliver/messages-of.ts';
export { whoHears } from './dispatch/who-hears.ts';
export { startDispatcher, type Dispatcher } from './dispatch/start-dispatcher.ts';
export { testChannel, type ChannelTested } from './deliver/test-channel.ts';
export { heartbeatOptions, heartbeatVariables, startHeartbeat, type HeartbeatOptions } from './heartbeat/start-heartbeat.ts';
export { recordOwnEvents } from './self-watch/own-events.ts';
export { startDrill } from './drills/start-drill.ts';
export { sendHints } from './send-hints.ts';
