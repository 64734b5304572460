import {
  deleteIdempotencyKey,
  type DrizzleTx,
  findIdempotencyKey,
  type IdempotencyKey,
  lockIdempotencyKey,
  saveIdempotencyKey,
  sqlState,
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

const TRIES = 3;
const LOST_TO_ANOTHER = new Set(['40001', '40P01']);

/**
 * Runs `work` in the tenant's transaction, again when that lost to another one. With an `Idempotency-Key` the effect and the remembered
 * answer commit together.
 */
export async function change<Output>(ctx: Context, work: (tx: DrizzleTx) => Promise<Output>): Promise<Output> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await withTenant(ctx.db, ctx.tenantId, (tx) => rememberedChange(ctx, tx, work));
    } catch (error) {
      if (tried === TRIES || !LOST_TO_ANOTHER.has(sqlState(error) ?? '')) throw error;
    }
  }
}

async function rememberedChange<Output>(ctx: Context, tx: DrizzleTx, work: (tx: DrizzleTx) => Promise<Output>): Promise<Output> {
  const { idempotency } = ctx;
  if (idempotency === null) return work(tx);
  const earlier = await answeredEarlier<Output>(ctx, tx, idempotency);
  if (earlier !== null) return earlier.answer;
  const answer = await work(tx);
  await remember(ctx, tx, idempotency, answer);
  return answer;
}

/**
 * The same for work that must not sit in a transaction, such as sending a message: the key is taken before and the answer remembered
 * after. Work that fails gives the key back; where the process dies in between, the key is free again after two minutes.
 */
export async function once<Output>(ctx: Context, work: () => Promise<Output>): Promise<Output> {
  const { idempotency } = ctx;
  if (idempotency === null) return work();
  const place = placeOf(ctx, idempotency);
  const inTenant = <T>(step: (tx: DrizzleTx) => Promise<T>): Promise<T> => withTenant(ctx.db, ctx.tenantId, step);
  const earlier = await inTenant(async (tx) => {
    const found = await answeredEarlier<Output>(ctx, tx, idempotency);
    if (found === null) await saveIdempotencyKey(tx, place, idempotency.bodyHash, null);
    return found;
  });
  if (earlier !== null) return earlier.answer;
  try {
    const answer = await work();
    await inTenant((tx) => remember(ctx, tx, idempotency, answer));
    return answer;
  } catch (error) {
    await inTenant((tx) => deleteIdempotencyKey(tx, place));
    throw error;
  }
}

/** Null: the request is new. Throws a 409 while the first one is at work, a 422 when it had another body. */
async function answeredEarlier<Output>(ctx: Context, tx: DrizzleTx, request: IdempotentRequest): Promise<{ answer: Output } | null> {
  const place = placeOf(ctx, request);
  if (!(await lockIdempotencyKey(tx, place))) throw inProgress();
  const earlier = await findIdempotencyKey(tx, place);
  if (earlier === null) return null;
  if (!earlier.requestHash.equals(request.bodyHash)) {
    throw new AppError('idempotency_mismatch', 'This Idempotency-Key was used with another body.');
  }
  if (typeof earlier.response !== 'string') throw inProgress();
  request.replayed = true;
  const text = ctx.secretBox.open(Buffer.from(earlier.response, 'base64'), sealOf(place));
  return { answer: (text === '' ? undefined : JSON.parse(text)) as Output };
}

// Sealed, because an answer can hold what is shown once: a new API key.
async function remember(ctx: Context, tx: DrizzleTx, request: IdempotentRequest, answer: unknown): Promise<void> {
  const place = placeOf(ctx, request);
  const sealed = ctx.secretBox.seal(answer === undefined ? '' : JSON.stringify(answer), sealOf(place));
  await saveIdempotencyKey(tx, place, request.bodyHash, { status: request.status, response: sealed.toString('base64') });
}

const inProgress = (): AppError =>
  new AppError('request_in_progress', 'A request with this Idempotency-Key is in progress.', { retryAfterMs: 1_000 });

const placeOf = ({ tenantId }: Context, { route, key }: IdempotentRequest): IdempotencyKey => ({ tenantId, route, key });

const sealOf = ({ tenantId, route, key }: IdempotencyKey) => ({
  tenantId,
  table: 'idempotency_keys',
  rowId: `${route} ${key}`,
  column: 'response',
});
