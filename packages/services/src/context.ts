import { can, type Permission, type Role } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import type { DeliveryDeps } from '@tocsin/pipeline';
import type { ServiceBounds } from './bounds.ts';
import type { IdempotentRequest } from './idempotency.ts';
import type { Pack } from './packs/pack.ts';
import type { Defaults } from './packs/read-defaults.ts';

/** What verbs need of the process they run in: what the pipeline stands on, the way out, and the event store. */
export interface Services extends DeliveryDeps {
  events: EventStore;
  /** Absent: those of the design. */
  serviceBounds?: ServiceBounds;
  /** Who claims slots; absent: the schedulers. */
  scheduler?: 'internal' | 'external';
  /** Absent: those that are shipped with the product. */
  packs?: readonly Pack[];
  /** What every tenant begins with; absent: nothing. */
  defaults?: Defaults;
}

/** Whoever holds `TOCSIN_ADMIN_KEY`: makes tenants and their keys, and sees the queues. No role within a tenant. */
const OPERATOR = 'operator';

export type CallerRole = Role | typeof OPERATOR;
/** `operator`: not for any role of a tenant. */
export type VerbPermission = Permission | typeof OPERATOR;

export const may = (role: CallerRole, permission: VerbPermission): boolean =>
  role === OPERATOR || (permission !== OPERATOR && can(role, permission));

/** Whose request it is. `actor` is what audit rows and `createdBy` say. */
export interface Caller {
  tenantId: string;
  role: CallerRole;
  actor: string;
}

export interface Context extends Services, Caller {
  /** Null: the request carried no `Idempotency-Key`. */
  idempotency: IdempotentRequest | null;
}
