import type { Notification } from '@tocsin/domain';
import { z } from 'zod';
import { defineChannel } from '../channel.ts';
import { truncate } from '../message/cut.ts';
import { headline } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';

const TEXT_MAX = 1_000;

/** What is frozen of a line. */
const Line = z.object({ level: z.enum(['error', 'warn']), text: z.string(), fields: z.record(z.string(), z.unknown()) });

/** A structured line in the log of the installation, for whatever collects it. */
export const log = defineChannel({
  kind: 'log',
  label: 'System log',
  config: z.strictObject({}),

  render: (notification) => JSON.stringify(lineOf(notification)),

  async deliver(body, _config, outside) {
    const isWritten = outside.log(Line.parse(JSON.parse(body)));
    const unanswered = { statusCode: null, responseExcerpt: null };
    return isWritten ? { outcome: 'delivered', ...unanswered } : { outcome: 'suppressed', reason: 'log_level', ...unanswered };
  },
});

function lineOf(notification: Notification): z.infer<typeof Line> {
  const message = messageOf(notification);
  const { kind, alert, rule } = notification;
  const isGrave = !message.isOver && kind !== 'test' && (alert.severity === 'critical' || alert.severity === 'error');
  const { id: alertId, severity, value, threshold, operator, unit, samples, startedAt, resolvedAt } = alert;
  return {
    level: isGrave ? 'error' : 'warn',
    text: truncate(`alert: ${headline(message)}: ${message.sentence}`, TEXT_MAX),
    fields: {
      told: kind,
      alertId,
      ruleId: rule.id,
      ruleKey: truncate(message.rule.key, TEXT_MAX),
      severity,
      value,
      threshold,
      operator,
      unit: unit === null ? null : truncate(unit, TEXT_MAX),
      samples,
      labels: Object.fromEntries(message.labels.map(({ name, value: text }) => [truncate(name, TEXT_MAX), truncate(text, TEXT_MAX)])),
      startedAt,
      resolvedAt,
    },
  };
}
