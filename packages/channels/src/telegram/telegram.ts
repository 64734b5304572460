import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import type { OutboundAnswer } from '../outside.ts';
import { outboundUrl } from '../outbound-url.ts';
import { jsonOf, postJson } from '../post-json.ts';
import { telegramMessage } from './telegram-message.ts';

/** A bot's message to a chat. Its token is in the path of what is called, which no error or log repeats. */
export const telegram = defineChannel({
  kind: 'telegram',
  maxPerMinute: 18,
  label: 'Telegram',
  config: z.strictObject({
    botToken: z
      .string()
      .regex(/^\d{3,20}:[A-Za-z0-9_-]{30,64}$/, 'must be a bot token such as 123456:ABC-DEF…')
      .meta({ title: 'Bot token', description: 'From @BotFather.', secret: true }),
    chatId: z
      .string()
      .regex(/^(-?\d{1,20}|@[A-Za-z]\w{3,31})$/, 'must be a number such as -1001234567890, or @name of a public channel')
      .meta({ title: 'Chat', description: 'The number of a chat, or the @name of a public channel.' }),
    topicId: z.int().positive().optional().meta({ title: 'Topic', description: 'Of a group with topics.' }),
    apiUrl: outboundUrl
      .default('https://api.telegram.org')
      .meta({ title: 'Bot API server', description: 'Of your own, in place of Telegram’s.', outbound: true }),
  }),

  render: (notification) => JSON.stringify(telegramMessage(notification)),

  deliver: (body, { botToken, chatId, topicId, apiUrl }, outside, { nowMs }) =>
    postJson(outside, {
      url: `${apiUrl.replace(/\/+$/, '')}/bot${botToken}/sendMessage`,
      body: JSON.stringify({
        chat_id: chatId,
        ...(topicId === undefined ? {} : { message_thread_id: topicId }),
        ...(JSON.parse(body) as object),
      }),
      secrets: [botToken],
      nowMs,
      retryAfterOf,
      refusalOf,
    }),
});

const Refused = z.object({ ok: z.literal(false), error_code: z.int().min(400).max(599).catch(500) });

/** A proxy, or a Bot API server of one's own, may say by 200 what Telegram says by its status: https://core.telegram.org/bots/api#making-requests */
function refusalOf({ body }: OutboundAnswer): number | null {
  const read = Refused.safeParse(jsonOf(body));
  return read.success ? read.data.error_code : null;
}

const Limited = z.object({ parameters: z.object({ retry_after: z.number().nonnegative() }) });

/** Seconds: https://core.telegram.org/bots/api#responseparameters */
function retryAfterOf({ body }: OutboundAnswer): number | null {
  const read = Limited.safeParse(jsonOf(body));
  return read.success ? read.data.parameters.retry_after * 1_000 : null;
}
