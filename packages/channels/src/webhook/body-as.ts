import type { WebhookBody } from '@tocsin/domain';
import { headline } from '../message/message.ts';
import { messageOf } from '../message/message-of.ts';
import { plainText } from '../message/plain-text.ts';
import { alertmanagerBody } from './alertmanager-body.ts';
import { filledIn, type BodyTemplate } from './template-body.ts';
import { notificationOf } from './webhook-body.ts';

/**
 * The frozen body as the channel wants it now. What is frozen is what is told; a template that a receiver refuses can be mended, and what is sent
 * again then is what it says by then.
 */
export function bodyAs({ format, template }: { format?: string | undefined; template?: BodyTemplate | undefined }, frozen: string): string {
  if (format === undefined || format === 'tocsin') return frozen;
  const body = JSON.parse(frozen) as WebhookBody;
  const message = messageOf(notificationOf(body));
  if (format === 'alertmanager' || template === undefined) return alertmanagerBody(body, message.sentence);
  return filledIn(template, body, { title: headline(message), sentence: message.sentence, text: plainText(message) });
}
