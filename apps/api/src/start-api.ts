import { pipelineChecks } from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';
import { serviceBounds, type ServiceConfig, type Services } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { ApiBounds } from './api-bounds.ts';
import { type ApiDeps, buildApi } from './build-api.ts';

export interface ApiOptions extends Pick<ApiDeps, 'adminKey' | 'schedulerSecret' | 'extend'> {
  /** Of `boundVariables`. */
  bounds: ApiBounds & ServiceConfig;
  host: string;
  /** 0 takes any free one. */
  port: number;
}

export interface RunningApi {
  app: FastifyInstance;
  port: number;
}

/** Serves the API until the stack is unwound; requests under way are answered first. Rejects when the port is taken. */
export async function startApi(services: Services, { host, port, ...options }: ApiOptions, stack: ShutdownStack): Promise<RunningApi> {
  const app = await buildApi({
    services: { ...services, serviceBounds: serviceBounds(options.bounds) },
    dependencies: pipelineChecks(services),
    ...options,
  });
  stack.defer('api', () => app.close());
  await app.listen({ host, port });
  return { app, port: (app.server.address() as AddressInfo).port };
}
