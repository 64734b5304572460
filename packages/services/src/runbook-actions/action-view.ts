import type { RunbookAction } from '@tocsin/contracts';
import type { ActionWithChannel } from '@tocsin/db';
import { viewChannel } from '../channels/channel-view.ts';
import type { Context } from '../context.ts';
import { timeText } from '../time-text.ts';

/** An action as people see it: its secret is masked. */
export function viewRunbookAction(ctx: Context, { action, channel }: ActionWithChannel): RunbookAction {
  const { config, enabled, disabledReason, lastUsedAt, lastError } = viewChannel(ctx, channel);
  return {
    key: action.key,
    name: action.name,
    matchers: action.matchers,
    on: action.events,
    url: textOf(config['url']),
    secret: textOf(config['secret']),
    enabled,
    disabledReason,
    lastUsedAt,
    lastError,
    version: action.version,
    createdAt: timeText(action.createdAtMs),
    createdBy: action.createdBy,
    updatedAt: timeText(action.updatedAtMs),
    updatedBy: action.updatedBy,
  };
}

const textOf = (value: unknown): string => (typeof value === 'string' ? value : '');
