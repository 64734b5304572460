import { openEventStore } from '@tocsin/events';
import {
  archiveVariables,
  evaluationBounds,
  evaluationVariables,
  openPipeline,
  pipelineChecks,
  pipelineVariables,
  readingVariables,
  retentionOf,
} from '@tocsin/pipeline';
import { runProcess, serveOps } from '@tocsin/runtime';
import { z } from 'zod';
import { startEvaluation } from './start-evaluation.ts';

const evaluatorVariables = { ...pipelineVariables, ...evaluationVariables, ...readingVariables, ...archiveVariables };

await runProcess('evaluator', z.object(evaluatorVariables), async ({ config, logger, stack }) => {
  const deps = await openPipeline({ name: 'evaluator', ...config, logger, stack });
  const store = openEventStore({
    ...deps,
    bounds: { retentionMs: config.retention, seriesPerQuery: config.seriesPerRule, seriesPerRead: config.seriesPerRead },
  });
  stack.defer('event store', store.close);
  await startEvaluation({ ...deps, store, retention: retentionOf(config), runBounds: evaluationBounds(config) }, stack);
  const ops = await serveOps({ ...config, metrics: deps.metrics, dependencies: pipelineChecks(deps) });
  stack.defer('ops server', ops.close);
  logger.info({ port: ops.port }, 'evaluating');
});
