import {
  deliveryVariables,
  heartbeatOptions,
  heartbeatVariables,
  openDelivery,
  openPipeline,
  pipelineChecks,
  pipelineVariables,
} from '@tocsin/pipeline';
import { runProcess, serveOps } from '@tocsin/runtime';
import { z } from 'zod';
import { startDispatch } from './start-dispatch.ts';

await runProcess(
  'dispatcher',
  z.object({ ...pipelineVariables, ...deliveryVariables, ...heartbeatVariables }),
  async ({ config, logger, stack }) => {
    const deps = openDelivery(await openPipeline({ name: 'dispatcher', ...config, logger, stack }), config, stack);
    await startDispatch(deps, stack, heartbeatOptions(config));
    const ops = await serveOps({ ...config, metrics: deps.metrics, dependencies: pipelineChecks(deps) });
    stack.defer('ops server', ops.close);
    logger.info({ port: ops.port }, 'dispatching');
  },
);
