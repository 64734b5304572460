import type { Inhibitions } from '@tocsin/contracts';
import { findNotificationList, withTenant } from '@tocsin/db';
import { verb } from '../verb.ts';
import { viewInhibitions } from './list-view.ts';

export const getInhibitions = verb('inhibitions:read', async ({ ctx }): Promise<Inhibitions> =>
  viewInhibitions(await withTenant(ctx.db, ctx.tenantId, (tx) => findNotificationList(tx, ctx.tenantId, 'inhibitions'))),
);
