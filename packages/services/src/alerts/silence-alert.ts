import { type Alert, SilenceAlert, UnsilenceAlert } from '@tocsin/contracts';
import type { Context } from '../context.ts';
import { idFrom, parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { handleOne } from './handle-alerts.ts';
import { silencing, unsilencing } from './silence-actions.ts';

interface Input {
  id: string;
  body: unknown;
}

/** Silences one alert alone. */
export const silenceAlert = verb('silences:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Alert | null> => {
  return handleOne(ctx, idFrom(input.id, 'alert'), () => {
    const { comment, ...end } = parse(SilenceAlert, input.body);
    return silencing(end, comment);
  });
});

/** Ends the silence of one alert alone. */
export const unsilenceAlert = verb('silences:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Alert | null> =>
  handleOne(ctx, idFrom(input.id, 'alert'), () => unsilencing(parse(UnsilenceAlert, input.body).comment)),
);
