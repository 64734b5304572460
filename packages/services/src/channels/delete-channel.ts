import { DeleteChannel } from '@tocsin/contracts';
import {
  countEscalationsTo,
  countRoutesTo,
  deleteChannel as deleteRow,
  dropFallback,
  lockChannel,
  namesOfRulesNotifying,
  noteGone,
  usersOfFallback,
} from '@tocsin/db';
import { AppError, notFound } from '../app-error.ts';
import { audit } from '../audit.ts';
import type { Context } from '../context.ts';
import { change } from '../idempotency.ts';
import { idFrom, parse } from '../parse.ts';
import { requireVersion } from '../version.ts';
import { verb } from '../verb.ts';

const NAMES_SHOWN = 5;

interface Input {
  id: string;
  query: unknown;
  ifMatch: string | undefined;
}

/** Refused while rules, routes or escalation policies notify it, unless forced; those then tell one channel less. Deliveries under way end dead. */
export const deleteChannel = verb('channels:write', async ({ ctx, input }: { ctx: Context; input: Input }): Promise<void> => {
  const id = idFrom(input.id, 'channel');
  const isForced = parse(DeleteChannel, input.query, 'query').force === 'true';
  return change(ctx, async (tx) => {
    const row = await lockChannel(tx, ctx.tenantId, id);
    if (row === null) throw notFound('channel');
    requireVersion(input.ifMatch, row.version);
    const rules = await namesOfRulesNotifying(tx, ctx.tenantId, row.key);
    const routes = await countRoutesTo(tx, ctx.tenantId, row.key);
    const policies = await countEscalationsTo(tx, ctx.tenantId, row.key);
    if (rules.length + routes + policies > 0 && !isForced) throw inUse(rules, routes, policies);
    const leaning = await usersOfFallback(tx, ctx.tenantId, row.key);
    if (leaning.length > 0 && !isForced) throw isFallback(leaning);
    if (leaning.length > 0) await dropFallback(tx, ctx.tenantId, row.key);
    await deleteRow(tx, ctx.tenantId, id);
    if (row.packKey !== null) await noteGone(tx, ctx.tenantId, row.packKey, `channel/${row.key}`);
    await audit(tx, ctx, 'channel.deleted', id, {
      key: row.key,
      usedByRules: rules.length,
      usedByRoutes: routes,
      usedByPolicies: policies,
      fallbackOf: leaning.length,
    });
  });
});

function inUse(rules: readonly string[], routes: number, policies: number): AppError {
  const names = rules.slice(0, NAMES_SHOWN).map((name) => `'${name}'`);
  const more = rules.length > NAMES_SHOWN ? [`${rules.length - NAMES_SHOWN} more`] : [];
  const leading = routes === 0 ? [] : [routes === 1 ? 'a route' : `${routes} routes`];
  const telling = policies === 0 ? [] : [policies === 1 ? 'an escalation policy' : `${policies} escalation policies`];
  const users = [...names, ...more, ...leading, ...telling];
  const last = users.pop();
  return new AppError('channel_in_use', `It is notified by ${users.length === 0 ? '' : `${users.join(', ')} and `}${last}.`);
}

function isFallback(users: readonly (string | null)[]): AppError {
  const names = users.slice(0, NAMES_SHOWN).map((key) => (key === null ? 'the tenant' : `'${key}'`));
  return new AppError('channel_in_use', `It is the fallback of ${names.join(', ')}${users.length > NAMES_SHOWN ? ' and others' : ''}.`);
}
