import { AppError, type CallerRole, type Keyring, requirePermission, type VerbPermission } from '@tocsin/services';
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify';
import { createHash, timingSafeEqual } from 'node:crypto';
import { credentialsOf } from './credentials.ts';
import { answerError } from './problem.ts';
import { openSchedulerDoor, type SchedulerDoorOptions } from './scheduler-door.ts';

type RoutePermission = VerbPermission | 'public' | 'scheduler' | 'signature';

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is with what its caller must be allowed; null: it does not say, which fails the boot. */
    permissions: () => { method: string; url: string; permission: RoutePermission | null }[];
  }
  interface FastifyRequest {
    /** Null on public routes. `tenantId` is null for the operator, who belongs to none. */
    caller: { tenantId: string | null; role: CallerRole; actor: string } | null;
  }
  interface FastifyContextConfig {
    /** What the caller must be allowed; `public`: nothing, `scheduler`: to send its secret, `signature`: to have signed the body, which the route checks. Every route has one. */
    permission?: RoutePermission;
    /** The operator may use it too, on behalf of the tenant in the path. */
    forOperatorToo?: boolean;
    /** A browser may ask for the admin key and send it as a password. */
    allowBasic?: boolean;
  }
}

interface AuthenticateOptions {
  keyring: Keyring;
  adminKey: string;
  scheduler: SchedulerDoorOptions;
}

const OPERATOR = { tenantId: null, role: 'operator', actor: 'operator' } as const;

/**
 * Every route says in its `config` what its caller must be allowed; a route that says nothing fails the boot. Callers are checked before
 * their body is read. Paths are never compared here: a route is protected however it was reached.
 */
export function authenticate(app: FastifyInstance, { keyring, adminKey, scheduler }: AuthenticateOptions): void {
  const adminHash = sha256(adminKey);
  const isAdminKey = (secret: string): boolean => timingSafeEqual(sha256(secret), adminHash);

  const admitScheduler = openSchedulerDoor(scheduler);

  app.decorateRequest('caller', null);
  const routes: RouteOptions[] = [];
  app.decorate('permissions', () =>
    routes.map(({ method, url, config }) => ({ method: String(method), url, permission: config?.permission ?? null })),
  );
  app.addHook('onRoute', (route) => void routes.push(route));
  app.addHook('onReady', async () => {
    const open = app.permissions().filter(({ permission }) => permission === null);
    if (open.length > 0) throw new Error(`no permission is declared by ${open.map(({ method, url }) => `${method} ${url}`).join(', ')}`);
  });
  // Answered here rather than thrown: a plugin's own error handler must not have a say in it.
  app.addHook('onRequest', async (request, reply) => {
    const { permission, allowBasic = false } = request.routeOptions.config;
    if (permission === undefined || permission === 'public' || permission === 'signature') return;
    try {
      if (permission === 'scheduler') return admitScheduler(request);
      request.caller = await callerOf(request);
      requirePermission(request.caller.role, permission);
    } catch (error) {
      if (allowBasic) reply.header('www-authenticate', 'Basic realm="tocsin operator", charset="UTF-8"');
      return answerError(error, request, reply);
    }
  });

  async function callerOf({ headers, routeOptions }: FastifyRequest): Promise<NonNullable<FastifyRequest['caller']>> {
    const { permission, forOperatorToo = false, allowBasic = false } = routeOptions.config;
    const given = credentialsOf(headers.authorization);
    const secret = given !== null && (given.scheme === 'bearer' || allowBasic) ? given.secret : null;
    const isOperator = secret !== null && isAdminKey(secret);
    if (permission === 'operator') {
      if (isOperator) return OPERATOR;
      throw new AppError('admin_key_required', `This needs the admin key. ${whatWasSent(headers.authorization, secret)}`);
    }
    if (isOperator && forOperatorToo) return OPERATOR;
    if (isOperator) throw new AppError('unauthenticated', 'This needs an API key of a tenant (tk_…); the admin key belongs to none.');
    if (secret === null) {
      throw new AppError(
        'unauthenticated',
        `This needs an API key, sent as "Authorization: Bearer tk_…". ${whatWasSent(headers.authorization, null)}`,
      );
    }
    return keyring.callerOf(secret);
  }
}

function whatWasSent(header: string | undefined, secret: string | null): string {
  if (header === undefined) return 'There was no Authorization header.';
  if (secret === null) return 'The Authorization header holds nothing that is taken here.';
  return secret.startsWith('tk_') ? 'An API key of a tenant was sent.' : 'What was sent is not it.';
}

const sha256 = (text: string): Buffer => createHash('sha256').update(text).digest();
