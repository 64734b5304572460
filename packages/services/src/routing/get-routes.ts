import type { Routes } from '@tocsin/contracts';
import { findNotificationList, withTenant } from '@tocsin/db';
import { verb } from '../verb.ts';
import { viewRoutes } from './list-view.ts';

export const getRoutes = verb('routes:read', async ({ ctx }): Promise<Routes> =>
  viewRoutes(await withTenant(ctx.db, ctx.tenantId, (tx) => findNotificationList(tx, ctx.tenantId, 'routes'))),
);
