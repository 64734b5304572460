import { channelOf, maskSecrets } from '@tocsin/channels';
import type { Channel, ChannelHealth } from '@tocsin/contracts';
import { placeOfSecrets, type ChannelRow } from '@tocsin/db';
import { deliveryReasonWords, FAILING_AFTER } from '@tocsin/domain';
import type { Context } from '../context.ts';
import { timeText, timeTextOrNull } from '../time-text.ts';

type Fields = Record<string, unknown>;

/** A channel as people see it: secrets are masked. */
export function viewChannel(ctx: Context, row: ChannelRow): Channel {
  return {
    id: row.id,
    key: row.key,
    name: row.name,
    kind: row.kind,
    config: (channelOf(row.kind) === null ? row.config : maskSecrets(row.config, openSecrets(ctx, row))) as Channel['config'],
    enabled: row.enabled,
    disabledReason: row.disabledReason,
    lastUsedAt: timeTextOrNull(row.lastUsedAtMs),
    lastError: row.lastError,
    health: healthOf(row),
    fallback: row.fallback,
    maxPerMinute: row.maxPerMinute,
    grouping: row.grouping,
    quietHours: viewQuietHours(row.quietHours),
    digest: row.digest,
    digestBelow: row.digestBelow,
    formerSecretsUntil: timeTextOrNull(row.formerSecretsUntilMs),
    version: row.version,
    createdAt: timeText(row.createdAtMs),
    createdBy: row.createdBy,
    updatedAt: timeText(row.updatedAtMs),
    updatedBy: row.updatedBy,
  };
}

const viewQuietHours = (hours: ChannelRow['quietHours']): Channel['quietHours'] =>
  hours === null ? null : { timeZone: hours.timeZone, windows: hours.windows.map(({ days, from, to }) => ({ days: [...days], from, to })) };

function healthOf(row: ChannelRow): ChannelHealth {
  const { enabled, lastUsedAtMs, lastError, failures, failingSinceMs, lastDeliveredAtMs } = row;
  const used = lastUsedAtMs === null ? 'unused' : lastError === null ? 'working' : failures >= FAILING_AFTER ? 'failing' : 'troubled';
  return {
    state: enabled ? used : 'off',
    failingSince: timeTextOrNull(failingSinceMs),
    consecutiveFailures: failures,
    lastDeliveredAt: timeTextOrNull(lastDeliveredAtMs),
    lastError,
    lastErrorText: lastError === null ? null : deliveryReasonWords(lastError),
  };
}

export function openSecrets(
  { secretBox }: Pick<Context, 'secretBox'>,
  { tenantId, id, secrets }: Pick<ChannelRow, 'tenantId' | 'id' | 'secrets'>,
): Fields {
  return secrets === null ? {} : (JSON.parse(secretBox.open(secrets, placeOfSecrets(tenantId, id))) as Fields);
}

/** Null: nothing to seal. */
export function sealSecrets({ secretBox }: Context, tenantId: string, id: string, secrets: Fields): Buffer | null {
  return Object.keys(secrets).length === 0 ? null : secretBox.seal(JSON.stringify(secrets), placeOfSecrets(tenantId, id));
}
