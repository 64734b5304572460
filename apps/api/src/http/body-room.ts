import { AppError } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** How many bodies of the largest size there is room for at once. */
const BODIES = { ofAll: 100, ofOneTenant: 25 };
const RETRY_AFTER_MS = 1_000;

/**
 * Keeps bodies that are on their way, or being worked on, within a bound of memory: of everybody's together (503) and, far below, of one
 * tenant's (429), who may send slowly and never come to an end. A body takes what it announces, one in chunks the most there may be.
 */
export function boundBodies(app: FastifyInstance, bodyBytes: number): void {
  let taken = 0;
  const ofTenant = new Map<string, number>();

  const take = (tenant: string, bytes: number): void => {
    const theirs = (ofTenant.get(tenant) ?? 0) + bytes;
    taken += bytes;
    if (theirs === 0) ofTenant.delete(tenant);
    else ofTenant.set(tenant, theirs);
  };

  // In a request's life the first moment at which its caller is known and nothing of its body has been read.
  app.addHook('preParsing', async (request, reply) => {
    const bytes = announced(request, bodyBytes);
    if (bytes === 0) return;
    const tenant = request.caller?.tenantId ?? '';
    if ((ofTenant.get(tenant) ?? 0) + bytes > BODIES.ofOneTenant * bodyBytes) {
      throw new AppError('too_many_requests', 'Too much of yours is being sent at once.', { retryAfterMs: RETRY_AFTER_MS });
    }
    if (taken + bytes > BODIES.ofAll * bodyBytes) {
      throw new AppError('unavailable', 'Too much is being sent at once.', { retryAfterMs: RETRY_AFTER_MS });
    }
    take(tenant, bytes);
    let isOver = false;
    const giveBack = (): void => {
      if (!isOver) take(tenant, -bytes);
      isOver = true;
    };
    reply.raw.once('finish', giveBack).once('close', giveBack);
  });
}

function announced({ headers }: FastifyRequest, bodyBytes: number): number {
  if (headers['transfer-encoding'] !== undefined) return bodyBytes;
  return Math.min(Number(headers['content-length'] ?? 0), bodyBytes);
}
