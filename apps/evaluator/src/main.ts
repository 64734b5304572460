import { openEventStore } from '@tocsin/events';
import { openPipeline, pipelineChecks, pipelineVariables } from '@tocsin/pipeline';
import { runProcess, serveOps } from '@tocsin/runtime';
import { z } from 'zod';
import { startEvaluation } from './start-evaluation.ts';

await runProcess('evaluator', z.object(pipelineVariables), async ({ config, logger, stack }) => {
  const deps = await openPipeline({ name: 'evaluator', ...config, logger, stack });
  const store = openEventStore({ ...deps, bounds: { retentionMs: config.retention } });
  stack.defer('event store', store.close);
  await startEvaluation({ ...deps, store, retentionMs: config.retention }, stack);
  const ops = await serveOps({ ...config, metrics: deps.metrics, dependencies: pipelineChecks(deps) });
  stack.defer('ops server', ops.close);
  logger.info({ port: ops.port }, 'evaluating');
});
