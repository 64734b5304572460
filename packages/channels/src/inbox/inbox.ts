import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { headline, readingLine, remarks, seriesLine } from '../message-text.ts';

const frozen = z.object({ title: z.string() }).loose();

/** Messages inside the product. Nothing leaves the machine, so what fails is our own database and is not the channel's verdict. */
export const inbox = defineChannel({
  kind: 'inbox',
  label: 'Inbox',
  config: z.strictObject({}),

  render: (notification) =>
    JSON.stringify({
      title: headline(notification),
      text: [readingLine(notification.alert), ...remarks(notification.alert)].join('. '),
      series: seriesLine(notification.alert),
      kind: notification.kind,
      alert: notification.alert,
      rule: notification.rule,
      context: notification.context,
      ...(notification.undelivered === undefined ? {} : { undelivered: notification.undelivered }),
      ...(notification.failing === undefined ? {} : { failing: notification.failing }),
    }),

  async deliver(body, _config, outside, { deliveryId, alertId }) {
    const { title, ...rest } = frozen.parse(JSON.parse(body));
    await outside.putInbox({ deliveryId, alertId, title, body: rest });
    return { outcome: 'delivered', statusCode: null, responseExcerpt: null };
  },
});
