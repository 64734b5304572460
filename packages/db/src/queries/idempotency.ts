import { and, eq, sql } from 'drizzle-orm';
import { tocsinNow } from '../columns.ts';
import { idempotencyKeys } from '../tables/requests.ts';
import type { DrizzleTx } from '../with-tenants.ts';

export interface IdempotencyKey {
  tenantId: string;
  /** Method and path. */
  route: string;
  key: string;
}

/** False: another transaction has it. Held until the transaction ends. */
export async function lockIdempotencyKey(tx: DrizzleTx, { tenantId, route, key }: IdempotencyKey): Promise<boolean> {
  const name = `${tenantId} ${route} ${key}`;
  const [row] = await tx.execute<{ isLocked: boolean }>(
    sql`select pg_try_advisory_xact_lock(hashtextextended(${name}::text, 0)) as "isLocked"`,
  );
  return row?.isLocked === true;
}

export interface EarlierRequest {
  requestHash: Buffer;
  /** Null: it is at work. */
  response: unknown;
}

/** What the key was used for within the last day; null: nothing. A request at work for over two minutes has died with its process. */
export async function findIdempotencyKey(tx: DrizzleTx, { tenantId, route, key }: IdempotencyKey): Promise<EarlierRequest | null> {
  const lives = sql`${idempotencyKeys.createdAtMs} > ${tocsinNow} - case when ${idempotencyKeys.status} is null then interval '2 minutes' else interval '1 day' end`;
  const [row] = await tx
    .select({ requestHash: idempotencyKeys.requestHash, response: idempotencyKeys.response })
    .from(idempotencyKeys)
    .where(and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.route, route), eq(idempotencyKeys.key, key), lives));
  return row ?? null;
}

/** Remembers a request: at work while `answer` is null, else with its answer. */
export async function saveIdempotencyKey(
  tx: DrizzleTx,
  { tenantId, route, key }: IdempotencyKey,
  requestHash: Buffer,
  answer: { status: number; response: string } | null,
): Promise<void> {
  const kept = { requestHash, status: answer?.status ?? null, response: answer?.response ?? null };
  await tx
    .insert(idempotencyKeys)
    .values({ tenantId, route, key, ...kept })
    .onConflictDoUpdate({
      target: [idempotencyKeys.tenantId, idempotencyKeys.route, idempotencyKeys.key],
      set: { ...kept, createdAtMs: tocsinNow },
    });
}

export async function deleteIdempotencyKey(tx: DrizzleTx, { tenantId, route, key }: IdempotencyKey): Promise<void> {
  await tx
    .delete(idempotencyKeys)
    .where(and(eq(idempotencyKeys.tenantId, tenantId), eq(idempotencyKeys.route, route), eq(idempotencyKeys.key, key)));
}
