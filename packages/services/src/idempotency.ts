import {
  claimIdempotencyKey,
  completeIdempotencyKey,
  type DrizzleTx,
  lockIdempotencyKey,
  releaseIdempotencyKey,
  withTenant,
} from '@tocsin/db';
import { AppError } from './app-error.ts';
import type { Context } from './context.ts';

/** A POST that carried an `Idempotency-Key`: for a day the same key, path and body gives the first answer again. */
export interface IdempotentRequest {
  key: string;
  /** Method and path. */
  route: string;
  /** SHA-256 of the body as parsed. */
  bodyHash: Buffer;
  /** Status of the answer when it works. */
  status: number;
  /** Set here when the answer is the stored one. */
  replayed: boolean;
}

/** Runs `work` in the tenant's transaction. With an `Idempotency-Key` the effect and the remembered answer commit together. */
export function change<Output>(ctx: Context, work: (tx: DrizzleTx) => Promise<Output>): Promise<Output> {
  const { idempotency } = ctx;
  return withTenant(ctx.db, ctx.tenantId, async (tx) => {
    if (idempotency === null) return work(tx);
    const earlier = await claim<Output>(ctx, tx, idempotency);
    if (earlier !== null) return earlier.answer;
    const answer = await work(tx);
    await completeIdempotencyKey(tx, ctx.tenantId, idempotency, seal(ctx, idempotency, answer));
    return answer;
  });
}

/**
 * The same for work that must not sit in a transaction, such as sending a message: the key is claimed before and completed after.
 * Work that fails gives the key back; where the process dies in between, the key is free again after two minutes.
 */
export async function once<Output>(ctx: Context, work: () => Promise<Output>): Promise<Output> {
  const { idempotency } = ctx;
  if (idempotency === null) return work();
  const earlier = await withTenant(ctx.db, ctx.tenantId, (tx) => claim<Output>(ctx, tx, idempotency));
  if (earlier !== null) return earlier.answer;
  try {
    const answer = await work();
    await withTenant(ctx.db, ctx.tenantId, (tx) => completeIdempotencyKey(tx, ctx.tenantId, idempotency, seal(ctx, idempotency, answer)));
    return answer;
  } catch (error) {
    await withTenant(ctx.db, ctx.tenantId, (tx) => releaseIdempotencyKey(tx, ctx.tenantId, idempotency));
    throw error;
  }
}

async function claim<Output>(ctx: Context, tx: DrizzleTx, request: IdempotentRequest): Promise<{ answer: Output } | null> {
  const inProgress = (): AppError =>
    new AppError('request_in_progress', 'A request with this Idempotency-Key is in progress.', { retryAfterMs: 1_000 });
  if (!(await lockIdempotencyKey(tx, ctx.tenantId, request))) throw inProgress();
  const earlier = await claimIdempotencyKey(tx, ctx.tenantId, request);
  if (earlier === null) return null;
  if (!earlier.sameBody) throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another body.');
  if (earlier.response === null) throw inProgress();
  request.replayed = true;
  const sealed = Buffer.from(earlier.response, 'base64');
  return { answer: JSON.parse(ctx.secretBox.open(sealed, binding(ctx, request))) as Output };
}

// Sealed, because an answer can hold what is shown once: a new API key.
function seal(ctx: Context, request: IdempotentRequest, answer: unknown): string {
  return ctx.secretBox.seal(JSON.stringify(answer ?? null), binding(ctx, request)).toString('base64');
}

const binding = ({ tenantId }: Context, { route, key }: IdempotentRequest) => ({
  tenantId,
  table: 'idempotency_keys',
  rowId: `${route} ${key}`,
  column: 'response',
});
