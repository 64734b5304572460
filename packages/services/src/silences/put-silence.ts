import { PutSilence, type Silence } from '@tocsin/contracts';
import { databaseNow, lockSilence, updateSilence, wakeWaiting } from '@tocsin/db';
import { AppError, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom, parse } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { readEnd } from './read-end.ts';
import { viewSilence } from './silence-view.ts';

interface Input {
  id: string;
  body: unknown;
  ifMatch: string | undefined;
}

/** Replaces a silence that is not over. One that has begun keeps its beginning, and a `duration` then counts from now. */
export const putSilence = verb('silences:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Silence> => {
  const id = idFrom(input.id, 'silence');
  return change(ctx, async (tx) => {
    const { tenantId, actor } = ctx;
    const before = await lockSilence(tx, tenantId, id);
    if (before === null) throw notFound('silence');
    const { matchers, startsAt, comment, ...end } = parse(PutSilence, input.body);
    requireVersion(input.ifMatch, before.version);
    const nowMs = await databaseNow(tx);
    if (before.endsAtMs <= nowMs) throw new AppError('silence_over', 'It has ended.');
    const hasBegun = before.startsAtMs <= nowMs;
    const startsAtMs = hasBegun ? before.startsAtMs : Math.max(startsAt ?? before.startsAtMs, nowMs);
    const endsAtMs = readEnd(end, Math.max(startsAtMs, nowMs));
    const row = await updateSilence(tx, {
      ...before,
      matchers,
      comment,
      startsAtMs,
      endsAtMs,
      onResolve: end.onResolve,
      updatedBy: actor,
    });
    await wakeWaiting(tx, tenantId, [id]);
    const shown = viewSilence(row, nowMs);
    await audit(tx, ctx, 'silence.updated', id, { matchers, startsAt: shown.startsAt, endsAt: shown.endsAt, comment });
    return shown;
  });
});
