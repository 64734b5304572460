import { isSignedBySlack, readSlackAsk, type SlackAsk, type SlackSignature } from '@tocsin/channels';
import { databaseNow, findChannel, isUuid, withTenant } from '@tocsin/db';
import { createHash } from 'node:crypto';
import { acknowledgeAlert } from '../alerts/set-alert-status.ts';
import { silenceAlert } from '../alerts/silence-alert.ts';
import { AppError } from '../app-error.ts';
import { openSecrets } from '../channels/channel-view.ts';
import type { Context, Services } from '../context.ts';
import { followCommand } from './follow-command.ts';
import { saidOf } from './said-of.ts';

/** A request as it came; the names in its path are not to be trusted yet. */
export interface SlackCall {
  tenantId: string;
  channelId: string;
  signed: SlackSignature;
  body: Buffer;
}

const BUTTON_SILENCES_FOR = '1h';
/** Slack gives up on whoever has not answered after three seconds. */
const ANSWER_WITHIN_MS = 1_500;

/**
 * Does what somebody asked for in Slack, as a responder of the channel's tenant. Answers what they alone are shown in return; null: they were told by another way.
 * Throws a 403 unless the app whose signing secret the channel has sent it just now: the same for a tenant or a channel that nobody has.
 */
export async function answerSlack(services: Services, call: SlackCall): Promise<string | null> {
  const opened = await openCall(services, call);
  const ask = readSlackAsk(call.body.toString('utf8'));
  if (ask === null) return 'That is nothing Tocsin knows.';
  const ctx: Context = { ...opened, actor: `slack:${ask.user}` };
  if (ask.kind === 'command') return saidOf(() => followCommand(ctx, ask));
  const said = await saidOf(() => press(ctx, ask));
  return (await tellPresser(ctx, ask.responseUrl, said)) ? null : said;
}

async function openCall(services: Services, { tenantId, channelId, signed, body }: SlackCall): Promise<Omit<Context, 'actor'>> {
  if (!isUuid(tenantId) || !isUuid(channelId)) throw refused();
  const { channel, nowMs } = await withTenant(services.db, tenantId, async (tx) => ({
    channel: await findChannel(tx, tenantId, channelId),
    nowMs: await databaseNow(tx),
  }));
  if (channel === null || channel.kind !== 'slack' || !channel.enabled) throw refused();
  const { signingSecret } = openSecrets(services, channel);
  if (typeof signingSecret !== 'string' || !isSignedBySlack(signed, body, signingSecret, nowMs)) throw refused();
  // the same request once more, from whoever has seen it go by, is answered as it was and does nothing
  const bodyHash = createHash('sha256').update(body).digest();
  const idempotency = { key: signed.signature, route: `POST slack ${channelId}`, bodyHash, status: 200, replayed: false };
  return { ...services, tenantId, role: 'responder', idempotency };
}

async function press(ctx: Context, { action, alertId: id }: Extract<SlackAsk, { kind: 'button' }>): Promise<string> {
  if (action === 'acknowledge') {
    await acknowledgeAlert({ ctx, input: { id, body: {} } });
    return 'Acknowledged.';
  }
  await silenceAlert({ ctx, input: { id, body: { duration: BUTTON_SILENCES_FOR } } });
  return 'Silenced for 1 h.';
}

/** What answers a press is shown to nobody; words go to an address that came with it. False: they did not get there. */
async function tellPresser({ outbound, logger }: Context, url: string | null, text: string): Promise<boolean> {
  if (url === null) return false;
  const body = JSON.stringify({ response_type: 'ephemeral', replace_original: false, text });
  const headers = { 'user-agent': 'Tocsin', 'content-type': 'application/json' };
  try {
    const { status } = await outbound.request({ url, method: 'POST', headers, body }, AbortSignal.timeout(ANSWER_WITHIN_MS));
    return status < 300;
  } catch (error) {
    logger.warn({ err: error }, 'whoever pressed a button in Slack could not be answered');
    return false;
  }
}

const refused = (): AppError => new AppError('slack_signature_required', 'This does not come from the Slack app of a channel.');
