import type { Inhibitions, Routes } from '@tocsin/contracts';
import type { NotificationListRow } from '@tocsin/db';
import { Inhibition, Route } from '@tocsin/domain';
import { timeText } from '../time-text.ts';

/** @param row null: nobody has written the list */
export const viewRoutes = (row: NotificationListRow | null): Routes => ({
  routes: Route.array().parse(row?.entries ?? []),
  ...written(row),
});

/** @param row null: nobody has written the list */
export const viewInhibitions = (row: NotificationListRow | null): Inhibitions => ({
  inhibitions: Inhibition.array().parse(row?.entries ?? []),
  ...written(row),
});

const written = (row: NotificationListRow | null): Omit<Routes, 'routes'> =>
  row === null || row.version === 0
    ? { version: 0, updatedAt: null, updatedBy: null }
    : { version: row.version, updatedAt: timeText(row.updatedAtMs), updatedBy: row.updatedBy };
