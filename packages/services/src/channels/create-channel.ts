import { splitSecrets } from '@tocsin/channels';
import { type Channel, CreateChannel } from '@tocsin/contracts';
import { insertChannel, newId } from '@tocsin/db';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { sealSecrets, viewChannel } from './channel-view.ts';
import { checkFallback } from './check-fallback.ts';
import { channelOfKind, checkConfig } from './check-config.ts';
import { checkToldWhen } from './check-told-when.ts';

export const createChannel = verb(
  'channels:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<Channel> => {
    const { key, name, kind, enabled, fallback, maxPerMinute, grouping, ...given } = parse(CreateChannel, input.body);
    const definition = channelOfKind(kind);
    const toldWhen = checkToldWhen({ kind, grouping, ...given });
    const { config, secrets } = splitSecrets(definition, await checkConfig(ctx, definition, given.config));
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      const id = newId();
      await checkFallback(tx, tenantId, key, fallback);
      const row = await insertChannel(tx, {
        tenantId,
        id,
        key,
        name,
        kind,
        config,
        secrets: sealSecrets(ctx, tenantId, id, secrets),
        enabled,
        fallback,
        maxPerMinute,
        grouping,
        ...toldWhen,
        actor,
      });
      if (row === null) throw new AppError('key_taken', `There is a channel with the key '${key}' already.`);
      await audit(tx, ctx, 'channel.created', id, { key, name, kind });
      const shown = viewChannel(ctx, row);
      return { ...shown, config: { ...shown.config, ...madeByUs(given.config, secrets) } };
    });
  },
);

/** A secret that nobody sent is one that a default made: shown here and never again, or its receiver could not check what it signs. */
const madeByUs = (given: Channel['config'], secrets: Record<string, unknown>): Record<string, string> =>
  Object.fromEntries(
    Object.entries(secrets).filter((entry): entry is [string, string] => !Object.hasOwn(given, entry[0]) && typeof entry[1] === 'string'),
  );
