import { splitSecrets } from '@tocsin/channels';
import {
  type ChannelRow,
  type DrizzleTx,
  findInstalledPack,
  insertChannel,
  lockChannelByKey,
  lockChannelKeys,
  lockPacks,
  newId,
  setChannelPack,
  updateChannel,
} from '@tocsin/db';
import { audit } from '../audit.ts';
import { openSecrets, sealSecrets } from '../channels/channel-view.ts';
import { channelOfKind } from '../channels/check-config.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { applyPack, type AppliedPack } from './apply-pack.ts';
import { digestOf } from './pack.ts';
import { CONFIG_PACK } from './read-pack.ts';
import type { DefaultChannel, Defaults } from './read-defaults.ts';

/** Who made what came from the installation's file. */
export const CONFIG_ACTOR = 'config';

/**
 * Gives a tenant what the installation's file says, in the caller's transaction: what is not there is made, what came from the file and nobody changed follows
 * it. Answers what is to be hinted after the commit; null: it has these defaults already.
 */
export async function giveDefaults(
  by: Context,
  tx: DrizzleTx,
  defaults: Defaults,
): Promise<Pick<AppliedPack, 'triggerIds' | 'needsHours'> | null> {
  const ctx = { ...by, actor: CONFIG_ACTOR };
  const { tenantId } = ctx;
  await lockPacks(tx, tenantId);
  if ((await findInstalledPack(tx, tenantId, CONFIG_PACK))?.digest === defaults.digest) return null;
  for (const channel of defaults.channels) await giveChannel(ctx, tx, channel);
  const named = defaults.rules.flatMap(({ spec }) => spec.notify.map(({ channel }) => channel));
  // A channel that the tenant deleted is not told.
  const there = new Set(await lockChannelKeys(tx, tenantId, named));
  return applyPack(ctx, tx, {
    key: CONFIG_PACK,
    digest: defaults.digest,
    rules: defaults.rules,
    notify: null,
    notifyOf: ({ spec }) => spec.notify.filter(({ channel }) => there.has(channel)),
  });
}

async function giveChannel(ctx: Context, tx: DrizzleTx, channel: DefaultChannel): Promise<void> {
  const { tenantId, actor } = ctx;
  const { key, name, kind, enabled } = channel;
  const digest = digestOf(channel);
  const row = await lockChannelByKey(tx, tenantId, key);
  if (row === null) {
    // Looked at last: whoever deletes a channel holds its lock until what is gone is noted.
    const installed = await findInstalledPack(tx, tenantId, CONFIG_PACK);
    if (installed?.gone[`channel/${key}`] === 'deleted') return;
    const id = newId();
    const sealed = sealedConfig(ctx, channel, { tenantId, id, secrets: null });
    const made = await insertChannel(tx, { tenantId, id, key, name, kind, ...sealed, enabled, actor });
    if (made === null) throw new Error('a channel appeared under the lock of the tenant’s packs');
    await setChannelPack(tx, tenantId, id, CONFIG_PACK, digest);
    await audit(tx, ctx, 'channel.created', id, { key, name, kind });
    return;
  }
  const isOurs = row.packKey === CONFIG_PACK && row.updatedBy === CONFIG_ACTOR && row.kind === kind;
  if (!isOurs || row.packDigest === digest) return;
  await updateChannel(tx, { ...row, name, enabled, ...sealedConfig(ctx, channel, row), updatedBy: actor });
  await setChannelPack(tx, tenantId, row.id, CONFIG_PACK, digest);
  await audit(tx, ctx, 'channel.updated', row.id, { key });
}

/** A secret that the file does not give is made once, and stays. */
function sealedConfig(ctx: Context, channel: DefaultChannel, row: Pick<ChannelRow, 'tenantId' | 'id' | 'secrets'>) {
  const definition = channelOfKind(channel.kind);
  const config = parse(definition.config, { ...openSecrets(ctx, row), ...channel.config }, 'body', ['config']);
  const { config: open, secrets } = splitSecrets(definition, config);
  return { config: open, secrets: sealSecrets(ctx, row.tenantId, row.id, secrets) };
}
