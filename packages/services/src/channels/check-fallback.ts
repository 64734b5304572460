import { type DrizzleTx, lockFallbacks, someChannelKeys } from '@tocsin/db';
import { didYouMean } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

/**
 * Checks that a channel's fallback is there, is another one, and does not lead back to it. Throws a 422.
 * @param key of the channel; null: it is the tenant's fallback that is set
 */
export async function checkFallback(tx: DrizzleTx, tenantId: string, key: string | null, fallback: string | null): Promise<void> {
  if (fallback === null) return;
  const fault = (code: string, message: string) => invalid([{ pointer: '/fallback', code, message }]);
  if (fallback === key) throw fault('fallback_is_itself', 'A channel cannot be its own fallback.');
  const fallbacks = await lockFallbacks(tx, tenantId);
  if (!fallbacks.has(fallback)) {
    const hint = didYouMean(fallback, await someChannelKeys(tx, tenantId));
    throw fault('unknown_channel', `There is no channel with the key '${fallback}'.${hint}`);
  }
  const path = [key ?? '', fallback];
  for (let next = fallbacks.get(fallback) ?? null; next !== null; next = fallbacks.get(next) ?? null) {
    path.push(next);
    if (next === key) throw fault('fallback_cycle', `The fallbacks would lead in a circle: ${path.join(' → ')}.`);
    if (path.length > fallbacks.size + 2) return;
  }
}
