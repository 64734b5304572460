import type { Page } from '@tocsin/contracts';
import { z } from 'zod';
import { type AppError, invalid } from './app-error.ts';

const Id = z.uuid();

/** Lists are newest first and ids are time-ordered, so a cursor is the last id seen. Throws a 422 when it is none. */
export function idOfCursor(cursor: string | undefined): string | null {
  if (cursor === undefined) return null;
  const id = Buffer.from(cursor, 'base64url').toString('latin1');
  if (Id.safeParse(id).success) return id;
  throw badCursor();
}

export const badCursor = (): AppError => invalid([{ pointer: '?cursor', code: 'bad_cursor', message: 'is not a cursor of this list' }]);

/** Cuts a list that was read with one row more than asked for. */
export function pageOfRows<Row extends { id: string }, Item>(rows: readonly Row[], limit: number, view: (row: Row) => Item): Page<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  const nextCursor = rows.length > limit && last !== undefined ? Buffer.from(last.id, 'latin1').toString('base64url') : null;
  return { data: shown.map(view), nextCursor };
}
