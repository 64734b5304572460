import { pipelineChecks } from '@tocsin/pipeline';
import type { ShutdownStack } from '@tocsin/runtime';
import { type Defaults, serviceBounds, type ServiceConfig, type Services, shippedPacks } from '@tocsin/services';
import type { FastifyInstance } from 'fastify';
import type { AddressInfo } from 'node:net';
import type { ApiBounds } from './api-bounds.ts';
import { type ApiDeps, buildApi } from './build-api.ts';
import { startDefaults } from './start-defaults.ts';
import { startPlatform } from './start-platform.ts';

export interface ApiOptions extends Pick<ApiDeps, 'adminKey' | 'schedulerSecret' | 'extend'> {
  /** Of `boundVariables`. */
  bounds: ApiBounds & ServiceConfig;
  /** What every tenant begins with; null: nothing. */
  defaults: Defaults | null;
  /** Whether the installation keeps a tenant of its own. */
  selfWatch: boolean;
  host: string;
  /** 0 takes any free one. */
  port: number;
}

export interface RunningApi {
  app: FastifyInstance;
  port: number;
}

/** Serves the API until the stack is unwound; requests under way are answered first. Rejects when the port is taken. */
export async function startApi(
  given: Services,
  { host, port, defaults, selfWatch, ...options }: ApiOptions,
  stack: ShutdownStack,
): Promise<RunningApi> {
  const services: Services = {
    ...given,
    serviceBounds: serviceBounds(options.bounds),
    packs: shippedPacks(),
    ...(defaults === null ? {} : { defaults }),
  };
  const app = await buildApi({
    services,
    dependencies: pipelineChecks(services),
    ...options,
  });
  stack.defer('api', () => app.close());
  await app.listen({ host, port });
  if (defaults !== null) startDefaults(services, defaults, stack);
  if (selfWatch) startPlatform(services, stack);
  return { app, port: (app.server.address() as AddressInfo).port };
}
