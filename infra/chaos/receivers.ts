import { type Received, webhookReceiver } from '@tocsin/testkit';
import { open, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** How a channel answers. `moody`: some messages are first refused, some first taken without an answer. `refusing`: never takes one. */
export const CHANNELS = ['steady', 'moody', 'refusing', 'critical'] as const;
type ChannelKey = (typeof CHANNELS)[number];

export interface Message {
  atMs: number;
  /** Whose address it came to. */
  tenant: string;
  channel: ChannelKey;
  id: string;
  body: string;
  /** Whose message it says it is. */
  saysTenant: string;
  type: string;
  alertId: string;
  ruleKey: string;
  series: string;
  /** Null: hung up on. */
  answered: number | null;
}

export interface Receivers {
  url: string;
  /** In order of arrival; each was on disk before it was answered. */
  messages: readonly Message[];
  /** Which of its transitions a channel was told of this track, in order of their first arrival. */
  told: (tenant: string, channel: ChannelKey, ruleKey: string, series: string) => readonly string[];
  close: () => Promise<void>;
}

/** Others tell of something else: that another channel could not be reached, say. */
const TRANSITIONS = new Set(['alert.fired', 'alert.resolved']);

interface Body {
  type: string;
  tenant: { externalKey: string };
  data: { alert: { id: string; labels: Record<string, string> }; rule: { key: string } };
}

/** Addresses `/<tenant>/<channel>` that write down what they are sent, like people would. */
export async function openReceivers(): Promise<Receivers> {
  const folder = await mkdtemp(join(tmpdir(), 'tocsin-receivers-'));
  const file = await open(join(folder, 'messages.jsonl'), 'a');
  const server = await webhookReceiver();
  const messages: Message[] = [];
  const seen = new Set<string>();
  const takenIds = new Set<string>();
  const kinds = new Map<string, string[]>();

  server.respondWith(async (request) => {
    const message = messageOf(request);
    message.answered = answerTo(message, !seen.has(message.id));
    seen.add(message.id);
    messages.push(message);
    await file.appendFile(`${JSON.stringify(message)}\n`);
    await file.datasync();
    if (TRANSITIONS.has(message.type) && message.answered !== 404 && message.answered !== 503 && !takenIds.has(message.id)) {
      takenIds.add(message.id);
      const track = `${message.tenant} ${message.channel} ${message.ruleKey} ${message.series}`;
      kinds.set(track, [...(kinds.get(track) ?? []), message.type]);
    }
    return message.answered === null ? { hangUp: true } : { status: message.answered };
  });
  return {
    url: server.url,
    messages,
    told: (...track) => kinds.get(track.join(' ')) ?? [],
    close: async () => {
      await server.close();
      await file.close();
      await rm(folder, { recursive: true });
    },
  };
}

function messageOf({ path, headers, body, receivedAtMs }: Received): Message {
  const [, tenant = '', channel = ''] = path.split('/');
  const said = JSON.parse(body) as Body;
  return {
    atMs: receivedAtMs,
    tenant,
    channel: channel as ChannelKey,
    id: String(headers['webhook-id']),
    body,
    saysTenant: said.tenant.externalKey,
    type: said.type,
    alertId: said.data.alert.id,
    ruleKey: said.data.rule.key,
    series: said.data.alert.labels['series'] ?? '',
    answered: 200,
  };
}

function answerTo({ channel, id }: Message, isFirst: boolean): number | null {
  if (channel === 'refusing') return 404;
  if (channel !== 'moody' || !isFirst) return 200;
  const mood = Number.parseInt(id.slice(-1), 16);
  if (mood < 2) return 503;
  return mood === 2 ? null : 200;
}
