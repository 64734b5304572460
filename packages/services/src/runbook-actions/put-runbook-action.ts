import { PutRunbookAction, type RunbookAction } from '@tocsin/contracts';
import { findRunbookAction, lockRunbookAction, updateChannel, updateRunbookAction, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import { openSecrets, sealSecrets } from '../channels/channel-view.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { keyFrom, parse } from '../parse.ts';
import { requireVersion, staleWrite } from '../version.ts';
import { verb } from '../verb.ts';
import { readCall } from './action-config.ts';
import { viewRunbookAction } from './action-view.ts';

interface Input {
  key: string;
  body: unknown;
  ifMatch: string | undefined;
}

/** Replaces an action; its secret stays unless another is sent. Switching on forgets why it was switched off. */
export const putRunbookAction = verb('actions:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<RunbookAction> => {
  const { tenantId, actor } = ctx;
  const ref = { tenantId, key: keyFrom(input.key) };
  const before = await withTenant(ctx.db, tenantId, (tx) => findRunbookAction(tx, ref));
  if (before === null) throw notFound('runbook action');
  requireVersion(input.ifMatch, before.action.version);
  const { name, matchers, on, enabled, ...call } = parse(PutRunbookAction, input.body);
  const { config, secrets } = await readCall(ctx, { url: call.url, secret: call.secret ?? openSecrets(ctx, before.channel)['secret'] });
  // The address was checked outside of the transaction (it is resolved): the versions say nobody changed anything meanwhile.
  return change(ctx, async (tx) => {
    const locked = await lockRunbookAction(tx, ref);
    if (locked === null || locked.action.version !== before.action.version) throw staleWrite();
    const channel = await updateChannel(tx, {
      ...locked.channel,
      name,
      config,
      secrets: sealSecrets(ctx, tenantId, locked.channel.id, secrets),
      enabled,
      disabledReason: enabled ? null : locked.channel.disabledReason,
      updatedBy: actor,
    });
    if (channel === null) throw staleWrite();
    const action = await updateRunbookAction(tx, { ...ref, name, matchers, events: [...new Set(on)], actor });
    await audit(tx, ctx, 'runbook_action.updated', ref.key, { name, on, enabled, version: action.version });
    return viewRunbookAction(ctx, { action, channel });
  });
});
