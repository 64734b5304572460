import { groupOf, TRIGGER_KINDS, type MessageKind, type Notification } from '@tocsin/domain';
import { aNotification } from './a-notification.ts';

/** Everything a tenant, or whoever sends it telemetry, may write, in one text. */
export const HOSTILE =
  '<!channel> @everyone @here @all <@U123> <users/all> <https://evil.example|https://bank.example> [bank](https://evil.example) ``` **b** _i_ ~s~ # h > q & </b><script>alert(1)</script> <a href="https://evil.example">x</a> \u202e\u0000';

/** A message all of whose foreign texts are `text`. */
export const saying = (text: string, change: Partial<Notification> = {}): Notification =>
  aNotification({
    alert: {
      name: text,
      metric: text,
      unit: text,
      why: text,
      flapping: true,
      excess: 3,
      peak: 9,
      labels: Object.fromEntries(Array.from({ length: 32 }, (_, index) => [`${index} ${text}`, text])),
      url: `https://tocsin.example/${'x'.repeat(1_900)}`,
    },
    rule: { id: 'x', key: text, name: text },
    tenant: { id: 'x', externalKey: text },
    context: { summary: text, runbookUrl: `https://runbooks.example/${'y'.repeat(1_900)}` },
    undelivered: { channel: text, reason: text },
    failing: { channel: text, reason: text, failures: 5, since: '2026-03-01T12:00:00.000Z' },
    handle: { acknowledge: `https://tocsin.example/links/${'z'.repeat(200)}`, silence: `https://tocsin.example/links/${'z'.repeat(200)}` },
    ...change,
  });

/** Long texts of one, two, three and four bytes a character, and of what is escaped the most. */
export const LONG = ['x', 'é', '中', '😀', '&', '*', '<', '"', '\n-', '\\', '_<&"*'].map((text) => text.repeat(5_000));

/** Every kind of message there is. */
export const KINDS: readonly MessageKind[] = [...TRIGGER_KINDS, 'test', 'undelivered', 'channel_failing'];

/** Messages of every kind, and one of several alerts, all of whose foreign texts are `text`. */
export const allSaying = (text: string): Notification[] => {
  const { alert, rule } = saying(text);
  const members = Array.from({ length: 9 }, (_, index) => ({ snapshot: { ...alert, id: `${index}` }, rule: { ...rule, id: `${index}` } }));
  return [...KINDS.map((kind) => saying(text, { kind })), saying(text, { group: groupOf(members, 'quiet_hours', 9) })];
};

export const bytesOf = (value: unknown): number => Buffer.byteLength(typeof value === 'string' ? value : JSON.stringify(value));
