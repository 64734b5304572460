import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { deleting } from './alert-actions.ts';
import { handleOne } from './handle-alerts.ts';

/** Deletes an alert that is over, with what was told of it. */
export const deleteAlert = verb('alerts:delete', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<void> => {
  await handleOne(ctx, idFrom(input.id, 'alert'), () => deleting);
});
