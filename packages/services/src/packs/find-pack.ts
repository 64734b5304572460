import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import type { Pack } from './pack.ts';
import { packsOf } from './shipped-packs.ts';

/** A pack of the product. Throws a 404. */
export function findPack(ctx: Context, key: string): Pack {
  const pack = packsOf(ctx).find((each) => each.key === key);
  if (pack === undefined) throw notFound('pack');
  return pack;
}
