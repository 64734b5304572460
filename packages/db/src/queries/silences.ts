import type { EpochMs } from '@tocsin/domain';
import { and, desc, eq, gt, lte, lt, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { type SilenceRow, silences } from '../tables/muting.ts';
import type { DrizzleTx } from '../with-tenants.ts';

export type NewSilence = Pick<SilenceRow, 'tenantId' | 'id' | 'matchers' | 'comment' | 'startsAtMs' | 'endsAtMs' | 'onResolve'> & {
  actor: string;
};

/** From the commit on it counts, whoever dies. */
export async function insertSilence(tx: DrizzleTx, { actor, ...silence }: NewSilence): Promise<SilenceRow> {
  const [row] = await tx
    .insert(silences)
    .values({ ...silence, createdBy: actor, updatedBy: actor })
    .returning();
  if (row === undefined) throw new Error('a silence was not stored');
  return row;
}

export async function findSilence(tx: DrizzleTx, tenantId: string, id: string): Promise<SilenceRow | null> {
  const [row] = await tx
    .select()
    .from(silences)
    .where(and(eq(silences.tenantId, tenantId), eq(silences.id, id)));
  return row ?? null;
}

/** Keeps everybody else from changing the silence, and from planning by it, until the transaction ends. */
export async function lockSilence(tx: DrizzleTx, tenantId: string, id: string): Promise<SilenceRow | null> {
  const [row] = await tx
    .select()
    .from(silences)
    .where(and(eq(silences.tenantId, tenantId), eq(silences.id, id)))
    .for('no key update');
  return row ?? null;
}

/** Writes what people may change of a silence under lock. */
export async function updateSilence(tx: DrizzleTx, changed: SilenceRow): Promise<SilenceRow> {
  const { matchers, comment, startsAtMs, endsAtMs, onResolve, updatedBy } = changed;
  const [row] = await tx
    .update(silences)
    .set({ matchers, comment, startsAtMs, endsAtMs, onResolve, updatedBy, updatedAtMs: tocsinNow, version: sql`${silences.version} + 1` })
    .where(and(eq(silences.tenantId, changed.tenantId), eq(silences.id, changed.id)))
    .returning();
  if (row === undefined) throw new Error('a silence under lock is gone');
  return row;
}

/** Ends a silence under lock now; one that has not begun never mutes. */
export async function endSilence(tx: DrizzleTx, tenantId: string, id: string, actor: string): Promise<void> {
  await tx
    .update(silences)
    .set({
      startsAtMs: sql`least(${silences.startsAtMs}, ${tocsinNow})`,
      endsAtMs: tocsinNow,
      endReason: 'ended',
      updatedAtMs: tocsinNow,
      updatedBy: actor,
      version: sql`${silences.version} + 1`,
    })
    .where(and(eq(silences.tenantId, tenantId), eq(silences.id, id)));
}

export const SILENCE_STATUSES = ['pending', 'active', 'expired'] as const;
export type SilenceStatus = (typeof SILENCE_STATUSES)[number];

export interface SilenceFilter {
  /** Silences older than the one of this id; null: from the newest. */
  beforeId: string | null;
  limit: number;
  status: SilenceStatus | null;
}

const STATUS_NOW = {
  pending: gt(silences.startsAtMs, tocsinNow),
  active: and(lte(silences.startsAtMs, tocsinNow), gt(silences.endsAtMs, tocsinNow)),
  expired: lte(silences.endsAtMs, tocsinNow),
};

/** Newest first. */
export async function selectSilences(tx: DrizzleTx, tenantId: string, { beforeId, limit, status }: SilenceFilter): Promise<SilenceRow[]> {
  return tx
    .select()
    .from(silences)
    .where(
      and(
        eq(silences.tenantId, tenantId),
        beforeId === null ? undefined : lt(silences.id, beforeId),
        status === null ? undefined : STATUS_NOW[status],
      ),
    )
    .orderBy(desc(silences.id))
    .limit(limit);
}

/** Those that lasted at some time of a range. */
export async function silencesWithin(tx: DrizzleTx, tenantId: string, fromMs: EpochMs, toMs: EpochMs): Promise<SilenceRow[]> {
  return tx
    .select()
    .from(silences)
    .where(
      and(
        eq(silences.tenantId, tenantId),
        sql`${silences.endsAtMs} > to_timestamp(${fromMs}::float8 / 1000)`,
        sql`${silences.startsAtMs} < to_timestamp(${toMs}::float8 / 1000)`,
      ),
    );
}

/** How many are not over. */
export async function countSilences(tx: DrizzleTx, tenantId: string): Promise<number> {
  return tx.$count(silences, and(eq(silences.tenantId, tenantId), gt(silences.endsAtMs, tocsinNow)));
}
