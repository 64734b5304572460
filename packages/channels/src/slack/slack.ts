import { IncomingWebhook, type FetchFunction, type IncomingWebhookSendArguments } from '@slack/webhook';
import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { outboundUrl } from '../outbound-url.ts';
import type { OutboundAnswer, Outside } from '../outside.ts';
import { verdictOfAnswer, verdictOfFailure } from '../verdict.ts';
import { slackMessage } from './slack-message.ts';

/** The library has none unless told. Beyond the outbound door's 30 s, so that the door speaks first: its error says more. */
const TIMEOUT_MS = 35_000;

/** A Slack incoming webhook. Its address is the credential. */
export const slack = defineChannel({
  kind: 'slack',
  label: 'Slack',
  // A team looks at one place: there it shows that somebody is at it.
  hears: ['acknowledged'],
  config: z.strictObject({ webhookUrl: outboundUrl.meta({ secret: true, outbound: true }) }),

  render: (notification) => JSON.stringify(slackMessage(notification)),

  async deliver(body, { webhookUrl }, outside, { nowMs }) {
    const { fetch, seen } = watchedFetch(outside, body);
    try {
      await new IncomingWebhook(webhookUrl, { fetch, timeout: TIMEOUT_MS }).send(JSON.parse(body) as IncomingWebhookSendArguments);
    } catch (error) {
      if (seen.answer === null) return verdictOfFailure(seen.failure ?? error);
    }
    return seen.answer === null ? verdictOfFailure(null) : verdictOfAnswer(seen.answer, [webhookUrl], nowMs);
  },
});

/**
 * The door's fetch for one send of the frozen bytes. The library's errors carry neither headers, so no `Retry-After`, nor the door's
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
