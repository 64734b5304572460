import { PutSilence, type Silence } from '@tocsin/contracts';
import { countSilences, databaseNow, insertSilence, newId } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { readEnd } from './read-end.ts';
import { viewSilence } from './silence-view.ts';

const SILENCES_MAX = 1_000;

/** Whatever matches goes on being evaluated, and nothing of it is told until the silence ends. */
export const createSilence = verb(
  'silences:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Silence> => {
    const { matchers, startsAt, comment, ...end } = parse(PutSilence, input.body);
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const nowMs = await databaseNow(tx);
      const startsAtMs = Math.max(startsAt ?? 0, nowMs);
      const endsAtMs = readEnd(end, startsAtMs);
      if ((await countSilences(tx, tenantId)) >= SILENCES_MAX)
        throw new AppError('bound_exceeded', `A tenant may have ${SILENCES_MAX} silences that are not over.`);
      const row = await insertSilence(tx, {
        tenantId,
        id: newId(),
        matchers,
        comment,
        startsAtMs,
        endsAtMs,
        onResolve: end.onResolve,
        actor,
      });
      const shown = viewSilence(row, nowMs);
      await audit(tx, ctx, 'silence.created', row.id, { matchers, startsAt: shown.startsAt, endsAt: shown.endsAt, comment });
      return shown;
    });
  },
);
