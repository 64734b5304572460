import type { Channel } from './channel.ts';
import { inbox } from './inbox/inbox.ts';
import { slack } from './slack/slack.ts';
import { webhook } from './webhook/webhook.ts';

/** Every kind of channel there is. */
export const channels: readonly Channel[] = [webhook, slack, inbox];

/** Null: no such kind. */
export const channelOf = (kind: string): Channel | null => channels.find((channel) => channel.kind === kind) ?? null;
