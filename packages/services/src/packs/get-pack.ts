import type { Pack } from '@tocsin/contracts';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { verb } from '../verb.ts';
import { findPack } from './find-pack.ts';
import { viewPacks } from './list-packs.ts';

export const getPack = verb('rules:read', async ({ ctx, input }: { ctx: Context; input: { key: string } }): Promise<Pack> => {
  const [pack] = await viewPacks(ctx, [findPack(ctx, input.key)]);
  if (pack === undefined) throw notFound('pack');
  return pack;
});
