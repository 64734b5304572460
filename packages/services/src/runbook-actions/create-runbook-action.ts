import { CreateRunbookAction, type RunbookAction } from '@tocsin/contracts';
import { countRunbookActions, insertChannel, insertRunbookAction, newId } from '@tocsin/db';
import { actionChannelKey } from '@tocsin/domain';
import { AppError } from '../app-error.ts';
import { audit } from '../audit.ts';
import { sealSecrets } from '../channels/channel-view.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { parse } from '../parse.ts';
import { verb } from '../verb.ts';
import { CALL_KIND, readCall } from './action-config.ts';
import { viewRunbookAction } from './action-view.ts';

const ACTIONS_MAX = 100;

/** A secret that nobody sent is made, and shown in this answer alone. */
export const createRunbookAction = verb(
  'actions:write',
  async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<RunbookAction> => {
    const { key, name, matchers, on, enabled, ...call } = parse(CreateRunbookAction, input.body);
    const { config, secrets } = await readCall(ctx, { url: call.url, secret: call.secret });
    return change(ctx, async (tx) => {
      const { tenantId, actor } = ctx;
      if ((await countRunbookActions(tx, tenantId)) >= ACTIONS_MAX)
        throw new AppError('bound_exceeded', `A tenant has at most ${ACTIONS_MAX} runbook actions.`);
      const id = newId();
      const channel = await insertChannel(tx, {
        tenantId,
        id,
        key: actionChannelKey(key),
        name,
        kind: CALL_KIND,
        config,
        secrets: sealSecrets(ctx, tenantId, id, secrets),
        enabled,
        actor,
      });
      if (channel === null) throw new AppError('key_taken', `There is a runbook action with the key '${key}' already.`);
      const action = await insertRunbookAction(tx, { tenantId, key, name, matchers, events: [...new Set(on)], channelId: id, actor });
      await audit(tx, ctx, 'runbook_action.created', key, { name, on });
      const shown = viewRunbookAction(ctx, { action, channel });
      return call.secret === undefined && typeof secrets['secret'] === 'string' ? { ...shown, secret: secrets['secret'] } : shown;
    });
  },
);
