import { type DrizzleTx, lockChannelKeys, someChannelKeys } from '@tocsin/db';
import { didYouMean, type RuleSpec } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

/** Every channel a rule names must exist, and goes on existing until the transaction ends. Throws a 422 that suggests the nearest key. */
export async function checkNotify(tx: DrizzleTx, tenantId: string, { notify }: Pick<RuleSpec, 'notify'>): Promise<void> {
  const named = notify.map(({ channel }) => channel);
  const known = new Set(await lockChannelKeys(tx, tenantId, named));
  if (named.every((key) => known.has(key))) return;
  const candidates = await someChannelKeys(tx, tenantId);
  throw invalid(
    named.flatMap((key, index) => {
      if (known.has(key)) return [];
      return [
        {
          pointer: `/notify/${index}/channel`,
          code: 'unknown_channel',
          message: `There is no channel '${key}'.${didYouMean(key, candidates)}`,
        },
      ];
    }),
  );
}
