import { type IncomingMessage, type ServerResponse, createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Metrics } from './metrics.ts';
import { type DependencyChecks, checkReadiness } from './readiness.ts';

export interface OpsServer {
  port: number;
  close: () => Promise<void>;
}

export interface OpsServerOptions {
  host: string;
  /** 0 takes any free one. */
  port: number;
  metrics: Metrics;
  dependencies: DependencyChecks;
}

/** `/healthz` (the process lives), `/readyz` (what it depends on answers), `/metrics`, for processes without an API. Rejects when the port is taken. */
export async function serveOps({ host, port, metrics, dependencies }: OpsServerOptions): Promise<OpsServer> {
  const server = createServer((request, response) => {
    answer(request, response, metrics, dependencies).catch(() => response.destroy());
  });
  server.requestTimeout = 10_000;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function answer(request: IncomingMessage, response: ServerResponse, metrics: Metrics, dependencies: DependencyChecks): Promise<void> {
  if (request.method !== 'GET' && request.method !== 'HEAD') return reply(response, 405, 'text/plain', 'method not allowed');
  switch (request.url?.split('?')[0]) {
    case '/healthz':
      return reply(response, 200, 'application/json', JSON.stringify({ status: 'ok' }));
    case '/readyz': {
      const { ready, checks } = await checkReadiness(dependencies);
      return reply(response, ready ? 200 : 503, 'application/json', JSON.stringify({ status: ready ? 'ok' : 'unavailable', checks }));
    }
    case '/metrics':
      return reply(response, 200, metrics.registry.contentType, await metrics.registry.metrics());
    default:
      return reply(response, 404, 'text/plain', 'not found');
  }
}

function reply(response: ServerResponse, status: number, contentType: string, body: string): void {
  response.writeHead(status, { 'content-type': contentType, 'content-length': Buffer.byteLength(body), 'cache-control': 'no-store' });
  response.end(body);
}
