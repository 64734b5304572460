import { PutRoutes, type Routes } from '@tocsin/contracts';
import { lockNotificationList, setNotificationList } from '@tocsin/db';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { checkChannels } from './check-channels.ts';
import { viewRoutes } from './list-view.ts';

/** Replaces the whole list: who is told from now on. What has been told already ends where it began. */
export const putRoutes = verb(
  'routes:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown; ifMatch: string | undefined } }): Promise<Routes> => {
    const { routes } = parse(PutRoutes, input.body);
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const before = await lockNotificationList(tx, tenantId, 'routes');
      requireVersion(input.ifMatch, before?.version ?? 0);
      await checkChannels(
        tx,
        tenantId,
        routes.flatMap(({ channels }, route) =>
          channels.map(({ channel }, index) => ({ pointer: `/routes/${route}/channels/${index}/channel`, channel })),
        ),
      );
      const row = await setNotificationList(tx, { tenantId, kind: 'routes', entries: routes, updatedBy: actor });
      await audit(tx, ctx, 'routes.updated', tenantId, { routes });
      return viewRoutes(row);
    });
  },
);
