import type { Channel } from '@tocsin/contracts';
import { findChannel, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewChannel } from './channel-view.ts';

export const getChannel = verb('channels:read', async ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<Channel> => {
  const id = idFrom(input.id, 'channel');
  const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findChannel(tx, ctx.tenantId, id));
  if (row === null) throw notFound('channel');
  return viewChannel(ctx, row);
});
