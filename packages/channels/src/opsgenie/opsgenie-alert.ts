import type { Notification } from '@tocsin/domain';
import { z } from 'zod';
import { truncate } from '../message/cut.ts';
import { headline } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { plainDetails } from '../message/plain-text.ts';

// https://docs.opsgenie.com/docs/alert-api#create-alert
export const OPSGENIE_MAX = {
  message: 130,
  alias: 512,
  description: 15_000,
  details: 8_000,
  tags: 20,
  tag: 50,
  source: 100,
  entity: 512,
  note: 25_000,
} as const;
/** Of the eight labels and what little else there is in the details: all together stay below their bound. */
const DETAIL_MAX = 300;

const PRIORITIES = { critical: 'P1', error: 'P2', warning: 'P3', info: 'P5' } as const;

/** What is frozen: which call it is, and its body. */
export const OpsgenieCall = z.object({
  action: z.enum(['create', 'acknowledge', 'close']),
  alias: z.string(),
  body: z.record(z.string(), z.unknown()),
});
export type OpsgenieCall = z.infer<typeof OpsgenieCall>;

/** An alert by the id of ours: created, counted up while it lasts, acknowledged, closed when it is over. */
export function opsgenieCall(notification: Notification): OpsgenieCall {
  const message = messageOf(notification);
  const { kind, alert, deliveryId } = notification;
  const alias = truncate(kind === 'test' ? deliveryId : alert.id, OPSGENIE_MAX.alias);
  // of an alert that is over by now nobody would close what is created, whoever was not told of its end
  if (message.isOver || kind === 'acknowledged') {
    const note = truncate([message.sentence, ...message.remarks].join('. '), OPSGENIE_MAX.note);
    return { action: message.isOver ? 'close' : 'acknowledge', alias, body: { source: 'Tocsin', note } };
  }
  const labels = message.labels.map(({ name, value }) => [truncate(name, DETAIL_MAX), truncate(value, DETAIL_MAX)]);
  return {
    action: 'create',
    alias,
    body: {
      message: truncate(headline(message), OPSGENIE_MAX.message),
      alias,
      description: truncate(`${message.sentence}\n\n${plainDetails(message)}`, OPSGENIE_MAX.description),
      priority: PRIORITIES[alert.severity],
      source: 'Tocsin',
      entity: truncate(message.rule.key, OPSGENIE_MAX.entity),
      tags: [alert.severity, alert.alertType].map((tag) => truncate(tag, OPSGENIE_MAX.tag)),
      details: {
        ...Object.fromEntries(labels),
        tenant: truncate(message.tenant, DETAIL_MAX),
        rule: truncate(message.rule.name, DETAIL_MAX),
      },
    },
  };
}
