import type { ChannelTest } from '@tocsin/contracts';
import { testChannel as sendTest } from '@tocsin/pipeline';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { once } from '../idempotency.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';

interface Input {
  id: string;
  body: undefined;
}

/** Sends a made-up alert the way real ones go, and says how it ended. */
export const testChannel = verb('channels:test', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<ChannelTest> => {
  const channelId = idFrom(input.id, 'channel');
  return once(ctx, async () => {
    const tested = await sendTest(ctx, { tenantId: ctx.tenantId, channelId });
    if (tested === null) throw notFound('channel');
    return tested;
  });
});
