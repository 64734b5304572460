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
  const known = new Set(
    await lockChannelKeys(
      tx,
      tenantId,
      named.map(({ channel }) => channel),
    ),
  );
  const unknown = named.filter(({ channel }) => !known.has(channel));
  if (unknown.length === 0) return;
  const candidates = await someChannelKeys(tx, tenantId);
  throw invalid(
    unknown.map(({ pointer, channel }) => ({
      pointer,
      code: 'unknown_channel',
      message: `There is no channel '${channel}'.${didYouMean(channel, candidates)}`,
    })),
  );
}
