import { mergeSecrets, splitSecrets } from '@tocsin/channels';
import { type Channel, UpdateChannel } from '@tocsin/contracts';
import { type ChannelRow, type DrizzleTx, endWaiting, findChannel, updateChannel as updateRow, withTenant } from '@tocsin/db';
import { endOf, LATER_REASONS } from '@tocsin/domain';
import { isDeepStrictEqual } from 'node:util';
import type { z } from 'zod';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom, parse } from '../parse.ts';
import { requireVersion, staleWrite } from '../version.ts';
import { verb } from '../verb.ts';
import { openSecrets, sealSecrets, viewChannel } from './channel-view.ts';
import { checkFallback } from './check-fallback.ts';
import { channelOfKind, checkConfig } from './check-config.ts';
import { checkToldWhen } from './check-told-when.ts';

interface Input {
  id: string;
  body: unknown;
  ifMatch: string | undefined;
}

/** What is left out stays; a masked or missing secret stays as stored. Switching on forgets why it was switched off. */
export const updateChannel = verb('channels:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Channel> => {
  const id = idFrom(input.id, 'channel');
  const patch = parse(UpdateChannel, input.body);
  const before = await withTenant(ctx.db, ctx.tenantId, (tx) => findChannel(tx, ctx.tenantId, id));
  if (before === null) throw notFound('channel');
  requireVersion(input.ifMatch, before.version);
  const stored = patch.config === undefined ? before : await editConfig(ctx, before, patch.config);
  const { fallback = before.fallback } = patch;
  const when = whenTold(before, patch);
  // The configuration was checked outside of the transaction (addresses are resolved): the version says nobody changed it meanwhile.
  return change(ctx, async (tx) => {
    if (fallback !== before.fallback) await checkFallback(tx, ctx.tenantId, before.key, fallback);
    const row = await updateRow(tx, {
      ...before,
      config: stored.config,
      secrets: stored.secrets,
      fallback,
      grouping: patch.grouping ?? before.grouping,
      ...when,
      maxPerMinute: patch.maxPerMinute === undefined ? before.maxPerMinute : patch.maxPerMinute,
      formerSecretsUntilMs: stored.formerSecretsUntilMs,
      name: patch.name ?? before.name,
      enabled: patch.enabled ?? before.enabled,
      disabledReason: patch.enabled === true ? null : before.disabledReason,
      updatedBy: ctx.actor,
    });
    if (row === null) throw staleWrite();
    if (isOtherThan(before, when)) await endWaitingSooner(tx, row);
    await audit(tx, ctx, 'channel.updated', id, { fields: Object.keys(patch) });
    return viewChannel(ctx, row);
  });
});

type WhenTold = Pick<ChannelRow, 'quietHours' | 'digest' | 'digestBelow'>;

/** Without a digest there is nothing that it tells of. */
function whenTold(before: ChannelRow, patch: z.infer<typeof UpdateChannel>): WhenTold {
  const { grouping = before.grouping, quietHours = before.quietHours, digest = before.digest } = patch;
  const { digestBelow = digest === null ? null : before.digestBelow } = patch;
  return checkToldWhen({ kind: before.kind, grouping, quietHours, digest, digestBelow });
}

const isOtherThan = ({ quietHours, digest, digestBelow }: ChannelRow, when: WhenTold): boolean =>
  !isDeepStrictEqual({ quietHours, digest, digestBelow }, when);

/** What waits goes at the earlier of the time it was to go and the one that holds now. */
async function endWaitingSooner(tx: DrizzleTx, row: ChannelRow): Promise<void> {
  for (const reason of LATER_REASONS)
    await endWaiting(tx, { tenantId: row.tenantId, channelId: row.id }, reason, endOf(row, reason, row.updatedAtMs));
}

type Stored = Pick<ChannelRow, 'config' | 'secrets' | 'formerSecretsUntilMs'>;

async function editConfig(ctx: Context, row: ChannelRow, edited: Record<string, unknown>): Promise<Stored> {
  const definition = channelOfKind(row.kind);
  const before = openSecrets(ctx, row);
  const { config, secrets } = splitSecrets(definition, await checkConfig(ctx, definition, mergeSecrets(definition, edited, before)));
  // Whoever says what the secrets are says what holds; masks that came back say nothing.
  const field = definition.rotates?.field;
  const areSame = field === undefined || isDeepStrictEqual(secrets[field], before[field]);
  return {
    config,
    secrets: sealSecrets(ctx, row.tenantId, row.id, secrets),
    formerSecretsUntilMs: areSame ? row.formerSecretsUntilMs : null,
  };
}
