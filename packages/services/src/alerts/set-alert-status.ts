import { type Alert, AlertNote, ResolveAlert } from '@tocsin/contracts';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { acknowledging, type AlertAction, resolving, unacknowledging } from './alert-actions.ts';
import { handleOne } from './handle-alerts.ts';

interface Input {
  id: string;
  body: unknown;
}

const actionVerb = (actionOf: (body: unknown) => AlertAction) =>
  verb('alerts:handle', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Alert | null> =>
    handleOne(ctx, idFrom(input.id, 'alert'), () => actionOf(input.body)),
  );

const noteOf = (body: unknown): string | null => parse(AlertNote, body).note ?? null;

/** Somebody has it: nobody is reminded any more, and it is evaluated on. Once is enough; the first to say so has it. */
export const acknowledgeAlert = actionVerb((body) => acknowledging(noteOf(body)));

/** Nobody has it any more. */
export const unacknowledgeAlert = actionVerb((body) => unacknowledging(noteOf(body)));

/** It is over because a person says so; what still holds is held back by the rule's cooldown. */
export const resolveAlert = actionVerb((body) => resolving(parse(ResolveAlert, body).notes ?? null));
