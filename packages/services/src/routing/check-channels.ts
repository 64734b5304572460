import type { ProblemIssue } from '@tocsin/contracts';
import { type DrizzleTx, lockChannelKeys, someChannelKeys } from '@tocsin/db';
import { didYouMean } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

/** Where a channel is named, as JSON pointer. */
export interface NamedChannel {
  pointer: string;
  channel: string;
}

/** Every channel that is named must exist, and goes on existing until the transaction ends. Throws a 422 that suggests the nearest key. */
export async function checkChannels(tx: DrizzleTx, tenantId: string, named: readonly NamedChannel[]): Promise<void> {
  const issues = await unknownChannels(tx, tenantId, named);
  if (issues.length > 0) throw invalid(issues);
}

/** The same, where there is more to find fault with. */
export async function unknownChannels(tx: DrizzleTx, tenantId: string, named: readonly NamedChannel[]): Promise<ProblemIssue[]> {
  const keys = named.map(({ channel }) => channel);
  const known = new Set(await lockChannelKeys(tx, tenantId, keys));
  const unknown = named.filter(({ channel }) => !known.has(channel));
  if (unknown.length === 0) return [];
  const candidates = await someChannelKeys(tx, tenantId);
  return unknown.map(({ pointer, channel }) => ({
    pointer,
    code: 'unknown_channel',
    message: `There is no channel '${channel}'.${didYouMean(channel, candidates)}`,
  }));
}
