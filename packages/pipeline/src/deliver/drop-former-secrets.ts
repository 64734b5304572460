import { channelOf, newestSecretOnly } from '@tocsin/channels';
import { channelsWithFormerSecrets, dropFormerSecrets, lockFormerSecrets, placeOfSecrets, withPipeline, withTenantsSql } from '@tocsin/db';
import type { DeliveryDeps } from './delivery-deps.ts';

const CHANNELS_AT_ONCE = 100;
const EVERY_MS = 60_000;

/** Takes out of the sealed secrets what was exchanged and holds no longer: nothing has been signed with it since. Answers of how many channels. */
export async function dropExchangedSecrets(deps: Pick<DeliveryDeps, 'db' | 'secretBox' | 'logger'>): Promise<number> {
  const refs = await withPipeline(deps.db, (sql) => channelsWithFormerSecrets(sql, CHANNELS_AT_ONCE));
  if (refs.length === 0) return 0;
  const tenantIds = [...new Set(refs.map(({ tenantId }) => tenantId))];
  return withTenantsSql(deps.db, tenantIds, async (sql) => {
    const locked = await lockFormerSecrets(sql, refs);
    for (const channel of locked) await dropFormerSecrets(sql, channel, left(deps, channel));
    return locked.length;
  });
}

/** What cannot be opened any more stays as it is: it signs nothing either. */
function left(
  { secretBox, logger }: Pick<DeliveryDeps, 'secretBox' | 'logger'>,
  { tenantId, channelId, kind, secrets }: { tenantId: string; channelId: string; kind: string; secrets: Buffer | null },
): Buffer | null {
  if (secrets === null) return null;
  const place = placeOfSecrets(tenantId, channelId);
  try {
    const opened = JSON.parse(secretBox.open(secrets, place)) as Record<string, unknown>;
    return secretBox.seal(JSON.stringify(newestSecretOnly(channelOf(kind), opened)), place);
  } catch (error) {
    logger.error({ tenantId, channelId, err: error }, 'secrets of a channel cannot be opened');
    return secrets;
  }
}

/** Does so every minute, until the signal aborts. Any number of processes: they take turns at each channel. */
export async function keepDroppingSecrets(deps: DeliveryDeps, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await dropExchangedSecrets(deps).catch((error: unknown) =>
      deps.logger.warn({ err: error }, 'exchanged secrets could not be dropped; trying again'),
    );
    await deps.clock.sleep(EVERY_MS, signal);
  }
}
