import {
  AppError,
  type Context,
  Download,
  etagOf,
  EventStream,
  type IdempotentRequest,
  invalid,
  type Services,
  type Verb,
} from '@tocsin/services';
import type { FastifyReply, FastifyRequest, RouteShorthandOptionsWithHandler } from 'fastify';
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { sendEvents } from './event-stream.ts';
import { NDJSON, withProgressLines } from './progress-lines.ts';

interface Route<Input, Output> {
  input: (request: FastifyRequest, reply: FastifyReply) => Input;
  /** Default: the tenant of the caller's key. */
  tenantId?: (request: FastifyRequest) => string;
  /** When it works; default 200, or 204 where there is nothing to say. */
  status?: number;
  forOperatorToo?: boolean;
  /** Where the answer is a part of the output, or its status depends on it. */
  answer?: (output: Output) => { status: number; body: unknown };
  /** For work that takes seconds: whoever accepts `application/x-ndjson` is told how far it is. */
  withProgress?: (input: Input, progress: (share: number) => void) => Input;
}

export type VerbRoute = <Input, Output>(verb: Verb<Input, Output>, route: Route<Input, Output>) => RouteShorthandOptionsWithHandler;

/** Turns a verb into a Fastify route: its permission, its context, its answer. */
export const verbRoutes =
  (services: Services): VerbRoute =>
  (verb, route) => {
    const { input, tenantId, status = 200, forOperatorToo = false, answer, withProgress } = route;
    const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const ctx = contextOf(services, request, tenantId?.(request), status);
      if (withProgress !== undefined && request.headers.accept?.includes(NDJSON)) {
        const asked = input(request, reply);
        return withProgressLines(request, reply, (progress) => verb({ ctx, input: withProgress(asked, progress) }));
      }
      const output = await verb({ ctx, input: input(request, reply) });
      if (ctx.idempotency?.replayed === true) reply.header('idempotent-replayed', 'true');
      return answer === undefined ? send(reply, status, output) : send(reply, answer(output).status, answer(output).body);
    };
    return { config: { permission: verb.permission, forOperatorToo }, handler };
  };

function send(reply: FastifyReply, status: number, body: unknown): FastifyReply {
  if (body === undefined || body === null) return reply.code(204).send();
  if (body instanceof EventStream) return sendEvents(reply, body);
  if (body instanceof Download) {
    reply.header('content-disposition', `attachment; filename="${body.fileName}"`);
    return reply.code(status).type(body.contentType).send(Readable.from(body.chunks));
  }
  if (typeof body === 'object' && 'version' in body && typeof body.version === 'number') reply.header('etag', etagOf(body.version));
  return reply.code(status).type('application/json; charset=utf-8').send(JSON.stringify(body));
}

function contextOf(services: Services, request: FastifyRequest, tenantId: string | undefined, status: number): Context {
  const { caller } = request;
  const tenant = tenantId ?? caller?.tenantId;
  if (caller === null || tenant === null || tenant === undefined)
    throw new Error(`${request.method} ${request.routeOptions.url ?? ''} has no tenant`);
  return {
    ...services,
    logger: services.logger.child({ requestId: request.id }),
    tenantId: tenant,
    role: caller.role,
    actor: caller.actor,
    idempotency: idempotentRequest(request, status),
  };
}

function idempotentRequest(request: FastifyRequest, status: number): IdempotentRequest | null {
  if (request.method !== 'POST') return null;
  const key = idempotencyKeyOf(request);
  if (key === null) return null;
  const path = request.url.split('?', 1)[0] ?? '';
  const bodyHash = createHash('sha256')
    .update(JSON.stringify(request.body ?? null))
    .digest();
  return { key, route: `POST ${path}`, bodyHash, status, replayed: false };
}

/** Null: none was sent. Throws a 422 unless it is 1 to 255 printable ASCII characters. */
export function idempotencyKeyOf({ headers }: FastifyRequest): string | null {
  const key = headers['idempotency-key'];
  if (key === undefined) return null;
  if (typeof key === 'string' && /^[\x21-\x7e]{1,255}$/.test(key)) return key;
  throw invalid([
    { pointer: '', code: 'bad_idempotency_key', message: 'Idempotency-Key must be 1 to 255 printable ASCII characters without spaces.' },
  ]);
}

/** The body where one is needed. Throws a 400 when there is none. */
export function bodyOf({ body }: FastifyRequest): unknown {
  if (body === undefined) throw new AppError('bad_json', 'The body is empty; JSON is needed.');
  return body;
}

/** For actions that take nothing: an empty body or `{}`. */
export function noBodyOf({ body }: FastifyRequest): undefined {
  if (body === undefined || body === null) return undefined;
  const names = typeof body === 'object' ? Object.keys(body) : [''];
  if (names.length === 0) return undefined;
  throw invalid(
    names
      .slice(0, 10)
      .map((name) => ({ pointer: name === '' ? '' : `/${name.slice(0, 100)}`, code: 'unknown_field', message: 'This takes no body.' })),
  );
}

/** The body of an action that may come with one. */
export const bodyOrNothing = ({ body }: FastifyRequest): unknown => body ?? {};

export function paramOf({ params }: FastifyRequest, name: string): string {
  return (params as Record<string, string | undefined>)[name] ?? '';
}

export const ifMatchOf = ({ headers }: FastifyRequest): string | undefined => headers['if-match'];
