import { type Alert, AlertNote } from '@tocsin/contracts';
import { markNoise as mark, noteHandled, said } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { changeAlerts, lockAlert, shownAlert } from './handle-alerts.ts';

/** Says that an alert was not worth telling, which the statistics count. The first mark stays, with its note. */
export const markNoise = verb(
  'alerts:handle',
  async ({ ctx, input }: { ctx: Context; input: { id: string; body: unknown } }): Promise<Alert> =>
    setNoise(ctx, idFrom(input.id, 'alert'), true, () => parse(AlertNote, input.body).note ?? null),
);

/** It was worth telling after all. */
export const unmarkNoise = verb('alerts:handle', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<Alert> =>
  setNoise(ctx, idFrom(input.id, 'alert'), false, () => null),
);

function setNoise(ctx: Context, id: string, isNoise: boolean, noteOf: () => string | null): Promise<Alert> {
  const { tenantId, actor } = ctx;
  return changeAlerts(ctx, async (tx) => {
    const { noiseAtMs } = await lockAlert(ctx, tx, id);
    const note = noteOf();
    if ((noiseAtMs !== null) !== isNoise) {
      await mark(tx, tenantId, id, isNoise ? { actor, note } : null);
      await noteHandled(tx, tenantId, [id], { kind: isNoise ? 'marked_noise' : 'unmarked_noise', actor, data: said('note', note) });
    }
    return { output: await shownAlert(ctx, tx, id), triggerIds: [] };
  });
}
