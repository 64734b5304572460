import type { ShownRule } from '@tocsin/contracts';
import { findRule, withTenant } from '@tocsin/db';
import { notFound } from '../app-error.ts';
import type { Context } from '../context.ts';
import { idFrom, keyFrom } from '../parse.ts';
import { verb } from '../verb.ts';
import { viewRules } from './rule-view.ts';

export const getRule = verb('rules:read', ({ ctx, input }: { ctx: Context; input: { id: string } }): Promise<ShownRule> => {
  return find(ctx, { id: idFrom(input.id, 'rule') });
});

export const getRuleByKey = verb('rules:read', ({ ctx, input }: { ctx: Context; input: { key: string } }): Promise<ShownRule> => {
  return find(ctx, { key: keyFrom(input.key) });
});

const find = (ctx: Context, by: { id: string } | { key: string }): Promise<ShownRule> =>
  withTenant(ctx.db, ctx.tenantId, async (tx) => {
    const row = await findRule(tx, ctx.tenantId, by);
    const [rule] = await viewRules(tx, ctx.tenantId, row === null ? [] : [row]);
    if (rule === undefined) throw notFound('rule');
    return rule;
  });
