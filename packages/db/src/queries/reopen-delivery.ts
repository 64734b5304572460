import type { DeliveryStatus, MessageKind } from '@tocsin/domain';
import { and, eq, ne, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { triggers } from '../tables/alerts.ts';
import { channels } from '../tables/channels.ts';
import { deliveries } from '../tables/deliveries.ts';
import type { DrizzleTx } from '../with-tenants.ts';

/** What a delivery is found in when it is to be opened again. */
export interface FoundDelivery {
  status: DeliveryStatus;
  kind: MessageKind;
  /** Null: it is deleted. */
  channelEnabled: boolean | null;
}

/** Locks a delivery for `reopenDelivery`. Null: no such delivery. */
export async function lockDelivery(tx: DrizzleTx, tenantId: string, id: string): Promise<FoundDelivery | null> {
  const [row] = await tx
    .select({ status: deliveries.status, kind: deliveries.kind, channelEnabled: channels.enabled })
    .from(deliveries)
    .leftJoin(channels, and(eq(channels.tenantId, deliveries.tenantId), eq(channels.id, deliveries.channelId)))
    .where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.id, id)))
    .for('no key update', { of: deliveries });
  return row ?? null;
}

export interface ReopenedDelivery {
  /** The `resolved` of its alert for its channel, which is told once more after it; null: there is none, or it is the one reopened. */
  endId: string | null;
}

/** Until the end that was reopened with its beginning is looked at; the beginning wakes it sooner. */
const END_WAITS_MS = 5_000;

const RESOLVED = 'resolved';

/**
 * Gives a delivery under lock a fresh count and end of life; its id and body stay, so its receiver can tell. Is its alert over, the end that
 * the channel was told, or was not told because it knew of no beginning, is opened with it: what comes last is what is believed.
 */
export async function reopenDelivery(tx: DrizzleTx, tenantId: string, id: string, lifetimeMs: number): Promise<ReopenedDelivery> {
  const [delivery] = await tx
    .update(deliveries)
    .set(openedAgain(lifetimeMs, 0))
    .where(and(eq(deliveries.tenantId, tenantId), eq(deliveries.id, id)))
    .returning();
  if (delivery === undefined) throw new Error('a delivery under lock is gone');
  const { kind, alertId, channelId } = delivery;
  if (kind === RESOLVED || alertId === null || channelId === null) return { endId: null };

  // Whoever plans the end just now is waited for; whoever plans it later sees that its beginning is open.
  const ofAlert = and(eq(triggers.tenantId, tenantId), eq(triggers.alertId, alertId), eq(triggers.kind, RESOLVED));
  await tx.select({ id: triggers.id }).from(triggers).where(ofAlert).for('no key update');
  const [end] = await tx
    .update(deliveries)
    .set(openedAgain(lifetimeMs, END_WAITS_MS))
    .where(
      and(
        eq(deliveries.tenantId, tenantId),
        eq(deliveries.alertId, alertId),
        eq(deliveries.channelId, channelId),
        eq(deliveries.kind, RESOLVED),
      ),
    )
    .returning({ id: deliveries.id });
  if (end === undefined) return { endId: null };
  await tx
    .update(triggers)
    .set({ status: 'planned', reason: null })
    .where(and(ofAlert, ne(triggers.status, 'pending')));
  return { endId: end.id };
}

/** Who sends it just now loses it: an end that was under way is sent once more, in its place. */
const openedAgain = (lifetimeMs: number, waitMs: number) => ({
  status: 'pending' as const,
  reason: null,
  countedAttempts: 0,
  nextAttemptAtMs: after(waitMs),
  finishedAtMs: null,
  expiresAtMs: after(lifetimeMs),
  leaseToken: null,
  leaseUntilMs: null,
  hintedAtMs: tocsinNow,
  hints: 0,
});

const after = (ms: number) => sql`${tocsinNow} + make_interval(secs => ${ms}::float8 / 1000)`;
