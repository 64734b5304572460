import { type Alert, AlertNote, ResolveAlert } from '@tocsin/contracts';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { acknowledge, remove, resolve, unacknowledge, type AlertAction } from './alert-actions.ts';
import { handleOne } from './handle-alerts.ts';

interface Input {
  id: string;
  body: unknown;
}

const actionVerb = (action: AlertAction, textOf: (body: unknown) => string | undefined) =>
  verb(action.permission, async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Alert | null> => {
    const id = idFrom(input.id, 'alert');
    return handleOne(ctx, action, id, () => textOf(input.body) ?? null);
  });

const noteOf = (body: unknown): string | undefined => parse(AlertNote, body).note;

/** Somebody has it: nobody is reminded any more, and it is evaluated on. Once is enough; the first to say so has it. */
export const acknowledgeAlert = actionVerb(acknowledge, noteOf);

/** Nobody has it any more. */
export const unacknowledgeAlert = actionVerb(unacknowledge, noteOf);

/** It is over because a person says so; what still holds is held back by the rule's cooldown. */
export const resolveAlert = actionVerb(resolve, (body) => parse(ResolveAlert, body).notes);

/** Deletes an alert that is over, with what was told of it. */
export const deleteAlert = verb(remove.permission, async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<void> => {
  await handleOne(ctx, remove, idFrom(input.id, 'alert'), () => null);
});
