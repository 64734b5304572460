export type { PipelineDeps } from './pipeline-deps.ts';
export { runScheduler } from './schedule/run-scheduler.ts';
export { claimDueSlots, type ClaimedSlots } from './schedule/claim-due-slots.ts';
export { sweep } from './sweep/sweep.ts';
export { startEvaluator, type EvaluatorDeps } from './evaluate/start-evaluator.ts';
export { startMaintenance } from './maintain/start-maintenance.ts';
export { DEFAULT_RETENTION, type MaintenanceDeps, type Retention } from './maintain/tasks.ts';
