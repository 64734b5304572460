import { type DrizzleTx, savedMetrics, withTenant } from '@tocsin/db';
import type { SavedMetrics } from '@tocsin/domain';
import type { Context } from '../context.ts';

/** Loads what there is of the tenant's own metrics. */
export type KnownMetrics = () => Promise<SavedMetrics>;

export const knownMetrics =
  ({ db, tenantId }: Context): KnownMetrics =>
  () =>
    withTenant(db, tenantId, (tx) => savedMetrics(tx, tenantId));

/** The same within a transaction. */
export const knownMetricsIn =
  (tx: DrizzleTx, tenantId: string): KnownMetrics =>
  () =>
    savedMetrics(tx, tenantId);

/** Parses without the tenant's own metrics, and again with them where that fails: most of what is written names none. */
export async function parseKnowing<Parsed extends { ok: boolean }>(
  known: KnownMetrics,
  parseWith: (saved: SavedMetrics | undefined) => Parsed,
): Promise<Parsed> {
  const parsed = parseWith(undefined);
  return parsed.ok ? parsed : parseWith(await known());
}
