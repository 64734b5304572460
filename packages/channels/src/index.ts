export type { Channel, Sending } from './channel.ts';
export type { InboxMessage, OutboundAnswer, OutboundCall, Outside } from './outside.ts';
export { channelOf, channels } from './registry.ts';
export { newestSecretOnly, rotateSecret } from './rotate-secret.ts';
export { maskSecrets, mergeSecrets, outboundUrls, secretFields, splitSecrets } from './secrets.ts';
export type { Verdict } from './verdict.ts';
