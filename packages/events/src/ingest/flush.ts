import type { EpochMs } from '@tocsin/domain';
import type { Meter } from '../codec/segment-builder.ts';
import type { Rejection } from '../event.ts';
import { PendingEvents } from './pending-events.ts';

/** What a caller is told, once its events are durable. */
export interface Answer {
  accepted: number;
  rejected: Rejection[];
}

/** A request that waits for its commit. Settling it twice is harmless: the second is ignored. */
export interface Waiter {
  answer: Answer;
  resolve: (answer: Answer & { replayed: boolean }) => void;
  reject: (error: unknown) => void;
}

/** A request with an Idempotency-Key: its events are apart, because they may turn out to be stored already. */
export interface KeyedRequest extends Waiter {
  key: string;
  bodyHash: Buffer;
  pending: PendingEvents;
}

export interface TenantShare {
  tenantId: string;
  pending: PendingEvents;
  waiters: Waiter[];
  keyed: KeyedRequest[];
}

/** Events that will share one commit. */
export class Flush {
  readonly startedMs: EpochMs;
  readonly meter: Meter = { bytes: 0 };
  readonly tenants = new Map<string, TenantShare>();
  events = 0;
  /** All who waited were told to come back. */
  isGivenUp = false;
  /** Gives it up. */
  deadline: NodeJS.Timeout | undefined;

  constructor(startedMs: EpochMs) {
    this.startedMs = startedMs;
  }

  shareOf(tenantId: string): TenantShare {
    const known = this.tenants.get(tenantId);
    if (known !== undefined) return known;
    const share: TenantShare = { tenantId, pending: new PendingEvents(this.meter), waiters: [], keyed: [] };
    this.tenants.set(tenantId, share);
    return share;
  }

  giveUp(error: unknown): void {
    this.isGivenUp = true;
    for (const { waiters, keyed } of this.tenants.values()) for (const waiter of [...waiters, ...keyed]) waiter.reject(error);
  }
}
