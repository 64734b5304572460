import { NotificationSettings } from '@tocsin/contracts';
import { findNotificationSettings, saveNotificationSettings, withTenant } from '@tocsin/db';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { checkFallback } from './check-fallback.ts';

export const getNotificationSettings = verb(
  'channels:read',
  async ({ ctx }: { ctx: Context; input: undefined }): Promise<NotificationSettings> => {
    const row = await withTenant(ctx.db, ctx.tenantId, (tx) => findNotificationSettings(tx, ctx.tenantId));
    return { fallback: row?.fallback ?? null };
  },
);

/** What is true of all channels that say nothing of their own. */
export const putNotificationSettings = verb(
  'channels:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<NotificationSettings> => {
    const { fallback } = parse(NotificationSettings, input.body);
    return change(ctx, async (tx) => {
      await checkFallback(tx, ctx.tenantId, null, fallback);
      await saveNotificationSettings(tx, { tenantId: ctx.tenantId, fallback, updatedBy: ctx.actor });
      await audit(tx, ctx, 'notification_settings.updated', ctx.tenantId, { fallback });
      return { fallback };
    });
  },
);
