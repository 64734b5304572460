import { newestSecretOnly, rotateSecret as withNewSecret, splitSecrets } from '@tocsin/channels';
import { type Channel, RotateSecret } from '@tocsin/contracts';
import { databaseNow, lockChannel, updateChannel as updateRow } from '@tocsin/db';
import { parseDuration } from '@tocsin/domain';
import { AppError, invalid, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom, parse } from '../parse.ts';
import { requireVersion, staleWrite } from '../version.ts';
import { verb } from '../verb.ts';
import { openSecrets, sealSecrets, viewChannel } from './channel-view.ts';
import { channelOfKind } from './check-config.ts';

const OVERLAP_MAX_MS = 7 * 86_400_000;

interface Input {
  id: string;
  body: unknown;
  ifMatch: string | undefined;
}

/**
 * Exchanges a channel's signing secret. Until the overlap is over messages carry a signature of each, so that the receiver can change over whenever it
 * likes. The answer shows the new one, and nothing ever does again.
 */
export const rotateSecret = verb('channels:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<Channel> => {
  const id = idFrom(input.id, 'channel');
  const { secret: given, overlap } = parse(RotateSecret, input.body);
  const overlapMs = parseDuration(overlap);
  if (overlapMs === null || overlapMs > OVERLAP_MAX_MS) {
    throw invalid([{ pointer: '/overlap', code: 'bad_duration', message: 'must be a duration of 7d at most, such as 24h or 0s' }]);
  }
  return change(ctx, async (tx) => {
    const before = await lockChannel(tx, ctx.tenantId, id);
    if (before === null) throw notFound('channel');
    requireVersion(input.ifMatch, before.version);
    const definition = channelOfKind(before.kind);
    const nowMs = await databaseNow(tx);
    const stored = openSecrets(ctx, before);
    const isOver = before.formerSecretsUntilMs !== null && before.formerSecretsUntilMs <= nowMs;
    const holding = isOver ? newestSecretOnly(definition, stored) : stored;
    const rotated = withNewSecret(definition, overlapMs === 0 ? {} : holding, given ?? null);
    if (rotated === null) throw new AppError('not_rotatable', `A channel of kind '${before.kind}' signs nothing.`);
    const { secret } = rotated;
    const whole = parse(definition.config, { ...before.config, ...stored, ...rotated.secrets });
    const row = await updateRow(tx, {
      ...before,
      secrets: sealSecrets(ctx, ctx.tenantId, id, splitSecrets(definition, whole).secrets),
      formerSecretsUntilMs: overlapMs === 0 ? null : nowMs + overlapMs,
      updatedBy: ctx.actor,
    });
    if (row === null) throw staleWrite();
    await audit(tx, ctx, 'channel.secret_rotated', id, { key: before.key, overlap });
    const shown = viewChannel(ctx, row);
    return { ...shown, config: { ...shown.config, ...(definition.rotates === undefined ? {} : { [definition.rotates.field]: secret }) } };
  });
});
