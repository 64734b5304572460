import { openPipeline, pipelineChecks, pipelineVariables } from '@tocsin/pipeline';
import { runProcess, serveOps, variables } from '@tocsin/runtime';
import { z } from 'zod';
import { startScheduler } from './start-scheduler.ts';

await runProcess('scheduler', z.object({ ...pipelineVariables, scheduler: variables.scheduler }), async ({ config, logger, stack }) => {
  const deps = await openPipeline({ name: 'scheduler', ...config, logger, stack });
  const progress = startScheduler(deps, stack, config.scheduler);
  const ops = await serveOps({ ...config, metrics: deps.metrics, dependencies: { ...pipelineChecks(deps), ...progress } });
  stack.defer('ops server', ops.close);
  logger.info({ port: ops.port }, 'scheduling');
});
