import { type DrizzleTx, lockFallbacks } from '@tocsin/db';
import { invalid } from '../app-error.ts';
import { checkChannels } from '../routing/check-channels.ts';

/**
 * Checks that a channel's fallback is another channel, which goes on existing until the transaction ends, and does not lead back to it. Throws a 422.
 * @param key of the channel; null: it is the tenant's fallback that is set
 */
export async function checkFallback(tx: DrizzleTx, tenantId: string, key: string | null, fallback: string | null): Promise<void> {
  if (fallback === null) return;
  const fault = (code: string, message: string) => invalid([{ pointer: '/fallback', code, message }]);
  if (fallback === key) throw fault('fallback_is_itself', 'A channel cannot be its own fallback.');
  await checkChannels(tx, tenantId, [{ pointer: '/fallback', channel: fallback }]);
  const fallbacks = await lockFallbacks(tx, tenantId);
  const path = [key ?? '', fallback];
  for (let next = fallbacks.get(fallback) ?? null; next !== null; next = fallbacks.get(next) ?? null) {
    path.push(next);
    if (next === key) throw fault('fallback_cycle', `The fallbacks would lead in a circle: ${path.join(' → ')}.`);
    if (path.length > fallbacks.size + 2) return;
  }
}
