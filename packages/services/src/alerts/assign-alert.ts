import { type Alert, AssignAlert } from '@tocsin/contracts';
import { assignAlert as assign, noteHandled } from '@tocsin/db';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { changeAlerts, lockAlert, shownAlert } from './handle-alerts.ts';

/** Null: nobody. The same again changes nothing. */
function setAssignee(ctx: Context, id: string, assigneeOf: () => string | null): Promise<Alert> {
  const { tenantId, actor } = ctx;
  return changeAlerts(ctx, async (tx) => {
    const { assignee: before } = await lockAlert(ctx, tx, id);
    const assignee = assigneeOf();
    if (assignee !== before) {
      await assign(tx, tenantId, id, assignee);
      await noteHandled(tx, tenantId, [id], { kind: assignee === null ? 'unassigned' : 'assigned', actor, data: { assignee, before } });
    }
    return { output: await shownAlert(ctx, tx, id), triggerIds: [] };
  });
}

/** Says whose it is, in a name of the tenant's own. */
export const assignAlert = verb(
  'alerts:handle',
  async ({ ctx, input }: { ctx: Context; input: { id: string; body: unknown } }): Promise<Alert> =>
    setAssignee(ctx, idFrom(input.id, 'alert'), () => parse(AssignAlert, input.body).assignee),
);

export const unassignAlert = verb('alerts:handle', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<Alert> =>
  setAssignee(ctx, idFrom(input.id, 'alert'), () => null),
);
