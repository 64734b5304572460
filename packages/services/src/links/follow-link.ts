import type { Alert } from '@tocsin/contracts';
import { databaseNow, findAlert, findChannel, withTenant } from '@tocsin/db';
import type { AlertHandling } from '@tocsin/domain';
import { readLink } from '@tocsin/pipeline';
import { acknowledgeAlert } from '../alerts/set-alert-status.ts';
import { silenceAlert } from '../alerts/silence-alert.ts';
import { viewAlert } from '../alerts/alert-view.ts';
import { AppError } from '../app-error.ts';
import type { Context, Services } from '../context.ts';

/** What a link in a message leads to. */
export interface LinkedAlert {
  action: AlertHandling;
  alert: Alert;
}

const SILENCED_FOR = '1h';

/** What the link would do, and to which alert; changes nothing, as whoever scans messages opens what is in them. Throws a 403 or a 410, which say nothing of the alert. */
export async function lookAtLink(services: Services, token: string): Promise<LinkedAlert> {
  const { action, alert } = await openLink(services, token);
  return { action, alert };
}

/** Does it, in the name of the channel the message went through. Once more changes nothing but the end of a silence. */
export async function followLink(services: Services, token: string): Promise<LinkedAlert> {
  const { action, alert, ctx } = await openLink(services, token);
  const handle = HANDLE[action];
  try {
    return { action, alert: (await handle(ctx, alert.id)) ?? alert };
  } catch (error) {
    // it ended between a look and the deed
    throw error instanceof AppError && error.status < 500 ? over() : error;
  }
}

const HANDLE: Record<AlertHandling, (ctx: Context, id: string) => Promise<Alert | null>> = {
  acknowledge: (ctx, id) => acknowledgeAlert({ ctx, input: { id, body: {} } }),
  silence: (ctx, id) => silenceAlert({ ctx, input: { id, body: { duration: SILENCED_FOR } } }),
};

async function openLink(services: Services, token: string): Promise<LinkedAlert & { ctx: Context }> {
  const link = readLink(services.secretBox, token);
  if (link === null) throw new AppError('link_invalid', 'This is not a link from a message.');
  const { tenantId, channelId, alertId, action, expiresMs } = link;
  return withTenant(services.db, tenantId, async (tx) => {
    if ((await databaseNow(tx)) >= expiresMs) throw over();
    const channel = await findChannel(tx, tenantId, channelId);
    const row = await findAlert(tx, tenantId, alertId);
    if (channel === null || row === null || row.resolvedAtMs !== null) throw over();
    // what a responder may, and of that the one thing the link is for
    const ctx = { ...services, tenantId, role: 'responder' as const, actor: `link:${channel.key}`, idempotency: null };
    return { action, alert: viewAlert(row), ctx };
  });
}

const over = (): AppError => new AppError('link_over', 'This link holds no longer.');
