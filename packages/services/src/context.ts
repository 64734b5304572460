import type { Database } from '@tocsin/db';
import { can, type Clock, type Permission, type Role } from '@tocsin/domain';
import type { EventStore } from '@tocsin/events';
import type { Queues } from '@tocsin/queue';
import type { Logger, Metrics, Outbound, SecretBox } from '@tocsin/runtime';
import type { IdempotentRequest } from './idempotency.ts';

/** What verbs need of the process they run in. */
export interface Services {
  db: Database;
  events: EventStore;
  queues: Queues;
  outbound: Outbound;
  secretBox: SecretBox;
  clock: Clock;
  logger: Logger;
  metrics: Metrics;
  /** Where people reach this deployment; links in messages begin with it. Null: not configured. */
  publicUrl: string | null;
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
