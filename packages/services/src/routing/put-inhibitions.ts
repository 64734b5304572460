import { type Inhibitions, PutInhibitions } from '@tocsin/contracts';
import { lockNotificationList, setNotificationList, wakeAllInhibited } from '@tocsin/db';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';
import { viewInhibitions } from './list-view.ts';

/** Replaces the whole list. What was inhibited and is not any more is told. */
export const putInhibitions = verb(
  'inhibitions:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown; ifMatch: string | undefined } }): Promise<Inhibitions> => {
    const { inhibitions } = parse(PutInhibitions, input.body);
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const before = await lockNotificationList(tx, tenantId, 'inhibitions');
      requireVersion(input.ifMatch, before?.version ?? 0);
      const row = await setNotificationList(tx, { tenantId, kind: 'inhibitions', entries: inhibitions, updatedBy: actor });
      await wakeAllInhibited(tx, tenantId);
      await audit(tx, ctx, 'inhibitions.updated', tenantId, { inhibitions });
      return viewInhibitions(row);
    });
  },
);
