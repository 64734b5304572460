import { z } from 'zod';

const LIMIT_MAX = 500;
const LIMIT_DEFAULT = 50;

/** `{data, nextCursor}`; `nextCursor` is null on the last page and opaque otherwise. */
export const pageOf = <Item extends z.ZodType>(item: Item) => z.strictObject({ data: z.array(item), nextCursor: z.string().nullable() });

export interface Page<Item> {
  data: Item[];
  nextCursor: string | null;
}

/** `?limit=&cursor=` of every list. */
export const PageQuery = {
  limit: z.coerce.number<string | number>().int().min(1).max(LIMIT_MAX).default(LIMIT_DEFAULT),
  cursor: z.string().max(2_000).optional(),
};

/** Lists that can be taken away whole: with `format` the answer is all there is, whatever `limit` says. */
export const ExportQuery = { format: z.enum(['csv', 'json']).optional() };
