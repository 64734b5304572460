import { IncomingWebhook, type FetchFunction } from '@slack/webhook';
import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import type { OutboundAnswer, Outside } from '../outside.ts';
import { verdictOfAnswer, verdictOfFailure } from '../verdict.ts';
import { verdictOfHook } from './slack-answer.ts';
import { deliverByBot } from './slack-bot.ts';
import { slackMessage, withButtons, type FrozenSlackMessage } from './slack-message.ts';

/** The library has none unless told. Beyond the outbound door's 30 s, so that the door speaks first: its error says more. */
const TIMEOUT_MS = 35_000;

const config = z
  .strictObject({
    webhookUrl: outboundUrl
      .nullish()
      .meta({ title: 'Webhook URL', description: 'Of an incoming webhook; or the two below.', secret: true, outbound: true }),
    botToken: z
      .string()
      .regex(/^xox[a-z]-[A-Za-z0-9-]{8,250}$/, 'must be a bot token such as xoxb-…')
      .nullish()
      .meta({ title: 'Bot token', description: 'Of an app with chat:write.', secret: true }),
    channel: z
      .string()
      .regex(/^([CGDU][A-Z0-9]{5,20}|#[^\s,#<>]{1,80})$/, 'must be an id such as C0123456789, or #name')
      .optional()
      .meta({ title: 'Channel', description: 'With a bot token: its id, or #name.' }),
    signingSecret: z
      .string()
      .regex(/^[A-Za-z0-9]{16,100}$/, 'must be the signing secret of the app')
      .nullish()
      .meta({ title: 'Signing secret', description: 'With a bot token: for buttons and the slash command.', secret: true }),
  })
  .refine(({ webhookUrl, botToken }) => (webhookUrl == null) !== (botToken == null), {
    path: ['webhookUrl'],
    message: 'a webhook URL or a bot token is needed, and not both',
  })
  .refine(({ botToken, channel }) => (botToken == null) === (channel === undefined), {
    path: ['channel'],
    message: 'belongs with a bot token, and a bot token with it',
  })
  .refine(({ botToken, signingSecret }) => signingSecret == null || botToken != null, {
    path: ['signingSecret'],
    message: 'belongs with a bot token',
  });

/** Slack: an incoming webhook, whose address is the credential, or a bot, which changes its messages and answers them. */
export const slack = defineChannel({
  kind: 'slack',
  maxPerMinute: 30,
  label: 'Slack',
  // A team looks at one place: there it shows that somebody is at it.
  hears: ['acknowledged'],
  config,

  render: (notification) => JSON.stringify(slackMessage(notification)),

  async deliver(frozen, { webhookUrl, botToken, channel, signingSecret }, outside, { alertId, nowMs }) {
    const { isGroup, handle, ...plain } = JSON.parse(frozen) as FrozenSlackMessage;
    const hears = signingSecret != null && alertId !== null && handle !== undefined;
    const message = hears ? withButtons(plain, handle, alertId) : plain;
    // the thread is that of one alert, which may end before the others do
    const thread = isGroup === true ? null : outside.thread;
    if (botToken != null && channel !== undefined) return deliverByBot(message, { botToken, channel }, { ...outside, thread }, nowMs);
    if (webhookUrl == null) return verdictOfFailure({ code: 'invalid_request' });
    const { fetch, seen } = watchedFetch(outside, JSON.stringify(message));
    try {
      await new IncomingWebhook(webhookUrl, { fetch, timeout: TIMEOUT_MS }).send(message);
    } catch (error) {
      if (seen.answer === null) return verdictOfFailure(seen.failure ?? error);
    }
    const { answer } = seen;
    return answer === null ? verdictOfFailure(null) : verdictOfHook(verdictOfAnswer(answer, [webhookUrl], nowMs), answer.body);
  },
});

/**
 * The door's fetch for one send of the frozen message. The library's errors carry neither headers, so no `Retry-After`, nor the door's
 * code, so both are noted on the way through.
 */
function watchedFetch(outside: Outside, body: string): { fetch: FetchFunction; seen: { answer: OutboundAnswer | null; failure: unknown } } {
  const seen: { answer: OutboundAnswer | null; failure: unknown } = { answer: null, failure: null };
  const fetch: FetchFunction = async (url, { method = 'POST', headers = {}, signal } = {}) => {
    const signals = signal === undefined ? [outside.signal] : [outside.signal, signal];
    try {
      const response = await outside.fetch(url, { method, headers, body, signal: AbortSignal.any(signals) });
      seen.answer = { status: response.status, headers: Object.fromEntries(response.headers), body: await response.clone().text() };
      return response;
    } catch (error) {
      seen.failure = error;
      throw error;
    }
  };
  return { fetch, seen };
}
