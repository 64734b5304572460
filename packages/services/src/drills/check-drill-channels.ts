import { type DrizzleTx, lockChannelKeys, someChannelKeys } from '@tocsin/db';
import { didYouMean } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

/** Throws a 422 that names each channel that is not there, or is named twice. */
export async function checkDrillChannels(tx: DrizzleTx, tenantId: string, channels: readonly string[]): Promise<void> {
  const found = new Set(await lockChannelKeys(tx, tenantId, channels));
  const known = found.size < new Set(channels).size ? await someChannelKeys(tx, tenantId) : [];
  const issues = channels.flatMap((key, index) => {
    const pointer = `/channels/${index}`;
    if (channels.indexOf(key) !== index) return [{ pointer, code: 'duplicate', message: `'${key}' is named twice.` }];
    if (found.has(key)) return [];
    return [{ pointer, code: 'unknown_channel', message: `There is no channel with the key '${key}'.${didYouMean(key, known)}` }];
  });
  if (issues.length > 0) throw invalid(issues);
}
