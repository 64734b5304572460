import { type Drill, StartDrill } from '@tocsin/contracts';
import { countRunningDrills, findDrill, readDrillStages, withTenant } from '@tocsin/db';
import { startDrill as begin } from '@tocsin/pipeline';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { once } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { checkDrillChannels } from './check-drill-channels.ts';
import { viewDrill } from './drill-view.ts';

/** As many as a tenant's runs that may wait: more would fail for that, and each has a rule that every run reads. */
const UNDER_WAY_MAX = 10;

/** Sends a breach that is made up through the whole way to the channels named. Answers once it has begun; `GET /drills/{id}` says how far it is. Throws a 429 where too many are under way. */
export const startDrill = verb('channels:test', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Drill> => {
  const { channels, severity } = parse(StartDrill, input.body);
  const { tenantId, actor } = ctx;
  return once(ctx, async () => {
    await withTenant(ctx.db, tenantId, async (tx) => {
      await checkDrillChannels(tx, tenantId, channels);
      if ((await countRunningDrills(tx, tenantId)) >= UNDER_WAY_MAX)
        throw new AppError('too_many_requests', 'Too many drills of this tenant are under way already.', { retryAfterMs: 10_000 });
    });
    const id = await begin(ctx, { tenantId, channels, severity, isScheduled: false, actor });
    return withTenant(ctx.db, tenantId, async (tx) => {
      await audit(tx, ctx, 'drill.started', id, { channels, severity });
      const row = await findDrill(tx, tenantId, id);
      if (row === null) throw new Error('a drill that was begun is gone');
      return viewDrill(row, await readDrillStages(tx, row));
    });
  });
});
