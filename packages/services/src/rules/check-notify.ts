import type { DrizzleTx } from '@tocsin/db';
import type { RuleSpec } from '@tocsin/domain';
import { checkChannels } from '../routing/check-channels.ts';

/** Every channel a rule names must exist, and goes on existing until the transaction ends. Throws a 422 that suggests the nearest key. */
export async function checkNotify(tx: DrizzleTx, tenantId: string, { notify }: Pick<RuleSpec, 'notify'>): Promise<void> {
  await checkChannels(
    tx,
    tenantId,
    notify.map(({ channel }, index) => ({ pointer: `/notify/${index}/channel`, channel })),
  );
}
