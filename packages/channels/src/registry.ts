import type { Channel } from './channel.ts';
import { discord } from './discord/discord.ts';
import { email } from './email/email.ts';
import { googleChat } from './google-chat/google-chat.ts';
import { inbox } from './inbox/inbox.ts';
import { log } from './log/log.ts';
import { mattermost } from './mattermost/mattermost.ts';
import { ntfy } from './ntfy/ntfy.ts';
import { opsgenie } from './opsgenie/opsgenie.ts';
import { pagerduty } from './pagerduty/pagerduty.ts';
import { slack } from './slack/slack.ts';
import { teams } from './teams/teams.ts';
import { telegram } from './telegram/telegram.ts';
import { webhook } from './webhook/webhook.ts';

/** Every kind of channel there is. */
export const channels: readonly Channel[] = [
  webhook,
  email,
  slack,
  pagerduty,
  opsgenie,
  teams,
  discord,
  telegram,
  ntfy,
  googleChat,
  mattermost,
  inbox,
  log,
];

/** Null: no such kind. */
export const channelOf = (kind: string): Channel | null => channels.find((channel) => channel.kind === kind) ?? null;
