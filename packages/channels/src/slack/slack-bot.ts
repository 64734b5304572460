import type { EpochMs } from '@tocsin/domain';
import { z } from 'zod';
import type { Outside } from '../outside.ts';
import { jsonOf, postJson } from '../post-json.ts';
import type { Verdict } from '../verdict.ts';
import { verdictOfCall } from './slack-answer.ts';
import type { SlackMessage } from './slack-message.ts';

const API = 'https://slack.com/api';

export interface SlackBot {
  botToken: string;
  channel: string;
}

/** The message that was to be changed is no more, or is nobody's to change. */
const GONE = new Set(['slack_message_not_found', 'slack_cant_update_message', 'slack_edit_window_closed']);

const Thread = z.object({ channel: z.string(), ts: z.string() });
type Thread = z.infer<typeof Thread>;

/**
 * A message of a bot. The first about an alert is posted and remembered; what comes later changes it in place, so that the channel shows how things
 * stand, and answers it in its thread, so that people hear. Where the first is gone the next is a first again.
 */
export async function deliverByBot(message: SlackMessage, bot: SlackBot, outside: Outside, nowMs: EpochMs): Promise<Verdict> {
  const call = caller(bot, outside, nowMs);
  const known = threadOf(await outside.thread?.get());
  if (known !== null) {
    const changed = await call('chat.update', { channel: known.channel, ts: known.ts, ...message });
    const isGone = changed.verdict.outcome === 'rejected' && GONE.has(changed.verdict.reason);
    if (!isGone && changed.verdict.outcome !== 'delivered') return changed.verdict;
    if (!isGone)
      return (await call('chat.postMessage', { channel: known.channel, thread_ts: known.ts, text: message.text, ...QUIET })).verdict;
  }
  const { verdict, thread } = await call('chat.postMessage', { channel: bot.channel, ...message, ...QUIET });
  if (thread !== null) await outside.thread?.put(JSON.stringify(thread));
  return verdict;
}

const QUIET = { unfurl_links: false, unfurl_media: false } as const;

interface Called {
  verdict: Verdict;
  /** Of the message that was made; null: none was. */
  thread: Thread | null;
}

function caller({ botToken }: SlackBot, outside: Outside, nowMs: EpochMs) {
  return async (method: string, body: Record<string, unknown>): Promise<Called> => {
    let answered = '';
    const seeing: Outside = {
      ...outside,
      request: async (sent, signal) => {
        const answer = await outside.request(sent, signal);
        answered = answer.body;
        return answer;
      },
    };
    const answer = await postJson(seeing, {
      url: `${API}/${method}`,
      headers: { authorization: `Bearer ${botToken}` },
      body: JSON.stringify(body),
      secrets: [botToken],
      nowMs,
    });
    const verdict = verdictOfCall(answer, answered);
    return { verdict, thread: verdict.outcome === 'delivered' ? threadOf(answered) : null };
  };
}

function threadOf(text: string | null | undefined): Thread | null {
  const read = Thread.safeParse(jsonOf(text ?? ''));
  return read.success ? { channel: read.data.channel, ts: read.data.ts } : null;
}
