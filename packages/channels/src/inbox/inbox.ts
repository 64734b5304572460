import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { headline, seriesLine } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';

const frozen = z.object({ title: z.string() }).loose();

/** Messages inside the product. Nothing leaves the machine, so what fails is our own database and is not the channel's verdict. */
export const inbox = defineChannel({
  kind: 'inbox',
  label: 'Inbox',
  config: z.strictObject({}),

  render: (notification) => {
    const message = messageOf(notification);
    const { kind, alert, rule, context, undelivered, failing, group } = notification;
    return JSON.stringify({
      title: headline(message),
      text: [message.sentence, ...message.remarks].join('. '),
      series: seriesLine(message),
      kind,
      alert,
      rule,
      context,
      undelivered,
      failing,
      group,
    });
  },

  async deliver(body, _config, outside, { deliveryId, alertId }) {
    const { title, ...rest } = frozen.parse(JSON.parse(body));
    await outside.putInbox({ deliveryId, alertId, title, body: rest });
    return { outcome: 'delivered', statusCode: null, responseExcerpt: null };
  },
});
