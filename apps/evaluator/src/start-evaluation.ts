import type { EventStore } from '@tocsin/events';
import {
  type EvaluationBounds,
  openArrivals,
  type PipelineDeps,
  type Retention,
  startEvaluator,
  startMaintenance,
  startMetricRecorder,
} from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';
import { sources } from '@tocsin/sources';

export interface EvaluationDeps extends PipelineDeps {
  store: EventStore;
  retention: Retention;
  runBounds: EvaluationBounds;
}

/** Takes runs and house-keeping from the queues and records saved metrics until the stack is unwound. Resolves once it does. */
export async function startEvaluation(deps: EvaluationDeps, stack: ShutdownStack): Promise<void> {
  const source = sources(deps.store).events;
  const evaluator = startEvaluator({ ...deps, source, histories: deps.store });
  stack.defer('evaluator', () => evaluator.close());
  const maintenance = startMaintenance(deps);
  stack.defer('maintenance', () => maintenance.close());
  const arrivals = openArrivals(deps);
  stack.defer('arrivals', arrivals.close);
  const recorder = startMetricRecorder({ ...deps, source, onLanded: arrivals.landed });
  stack.defer('metric recorder', () => recorder.close());
  await Promise.all([evaluator.ready(), maintenance.ready()]);
}
