import { openEventStore } from '@tocsin/events';
import { deliveryVariables, openArrivals, openDelivery, openPipeline, pipelineVariables } from '@tocsin/pipeline';
import { runProcess, variables } from '@tocsin/runtime';
import { readDefaults, serviceBounds } from '@tocsin/services';
import { z } from 'zod';
import { boundVariables, eventBounds } from './api-bounds.ts';
import { startApi } from './start-api.ts';

const apiVariables = {
  ...pipelineVariables,
  ...deliveryVariables,
  ...boundVariables,
  adminKey: variables.adminKey,
  schedulerSecret: variables.schedulerSecret.optional(),
  scheduler: variables.scheduler,
  rulesFile: variables.rulesFile,
  selfWatch: variables.selfWatch,
};

await runProcess('api', z.object(apiVariables), async ({ config, logger, stack }) => {
  const defaults = readDefaults({ file: config.rulesFile, env: process.env, bounds: serviceBounds(config) });
  const deps = openDelivery(await openPipeline({ name: 'api', ...config, logger, stack }), config, stack);
  const arrivals = openArrivals(deps);
  stack.defer('arrivals', arrivals.close);
  const events = openEventStore({ ...deps, bounds: eventBounds(config), onLanded: arrivals.landed });
  stack.defer('event store', events.close);
  const { port } = await startApi(
    { ...deps, events, scheduler: config.scheduler },
    { ...config, schedulerSecret: config.schedulerSecret ?? null, bounds: config, defaults },
    stack,
  );
  logger.info({ host: config.host, port }, 'serving');
});
