export type { Channel, OutboundHost, Sending } from './channel.ts';
export { configSchema } from './config-schema.ts';
export { isSender } from './email/addresses.ts';
export type { InboxMessage, LogLine, MailServer, OutboundAnswer, OutboundCall, Outside } from './outside.ts';
export { channelOf, channels } from './registry.ts';
export { newestSecretOnly, rotateSecret } from './rotate-secret.ts';
export { maskSecrets, mergeSecrets, outboundUrls, secretFields, splitSecrets } from './secrets.ts';
export type { Verdict } from './verdict.ts';
