import type { CallerRole, VerbPermission } from '@tocsin/services';
import 'fastify';

declare module 'fastify' {
  interface FastifyInstance {
    /** Every route there is with what its caller must be allowed; null: it does not say, which fails the boot. */
    permissions: () => { method: string; url: string; permission: VerbPermission | 'public' | null }[];
  }
  interface FastifyRequest {
    /** Null on public routes. `tenantId` is null for the operator, who belongs to none. */
    caller: { tenantId: string | null; role: CallerRole; actor: string } | null;
  }
  interface FastifyContextConfig {
    /** What the caller must be allowed; `public`: nothing. Every route has one. */
    permission?: VerbPermission | 'public';
    /** The operator may use it too, on behalf of the tenant in the path. */
    forOperatorToo?: boolean;
    /** A browser may ask for the admin key and send it as a password. */
    allowBasic?: boolean;
  }
}
