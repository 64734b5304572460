import { type RouteTest, TestRoutes } from '@tocsin/contracts';
import { findRule, withTenant, withTenantsSql } from '@tocsin/db';
import { type Later, readStoredRule, type RuleSpec } from '@tocsin/domain';
import { whoHears } from '@tocsin/pipeline';
import { AppError, invalid } from '../app-error.ts';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { timeText, timeTextOrNull } from '../time-text.ts';
import { verb } from '../verb.ts';

const NO_RULE = { id: '', key: '', name: '' };

/** Who would hear if such an alert fired now, and why. Changes nothing. */
export const testRoutes = verb('routes:read', async ({ ctx, input }: { ctx: Context; input: { body: unknown } }): Promise<RouteTest> => {
  const { tenantId } = ctx;
  const { rule: key, labels, severity, alertType } = parse(TestRoutes, input.body);
  const spec = key === undefined ? null : await ruleOf(ctx, key);
  const notify = spec?.notify ?? [];
  const supposed = {
    tenantId,
    rule: spec === null ? NO_RULE : { id: '', key: spec.key, name: spec.name },
    notify,
    labels: { ...spec?.labels, ...labels },
    severity,
    alertType,
  };
  const { deliveries, muted, routes, taken, later } = await withTenantsSql(ctx.db, [tenantId], (sql) => whoHears(sql, supposed));
  const namedBy = (channelKey: string): ('rule' | number)[] => [
    ...(notify.some(({ channel }) => channel === channelKey) ? ['rule' as const] : []),
    ...taken.filter((index) => routes[index]?.channels.some(({ channel }) => channel === channelKey)),
  ];
  return {
    routes: taken,
    channels: deliveries.map(({ channelKey, suppressed }) => ({
      channel: channelKey,
      hears: suppressed === null,
      reason: suppressed,
      waits: waitsOf(later.get(channelKey)),
      from: namedBy(channelKey),
    })),
    muted: muted === null ? null : { reason: muted.reason, by: muted.by, until: timeTextOrNull(muted.untilMs) },
  };
});

const waitsOf = (later: Later | undefined): RouteTest['channels'][number]['waits'] =>
  later === undefined ? null : { reason: later.reason, until: timeText(later.untilMs) };

async function ruleOf({ db, tenantId }: Context, key: string): Promise<RuleSpec> {
  const row = await withTenant(db, tenantId, (tx) => findRule(tx, tenantId, { key }));
  if (row === null) throw invalid([{ pointer: '/rule', code: 'unknown_rule', message: `There is no rule '${key}'.` }]);
  const stored = readStoredRule(row.spec);
  if (!stored.ok) throw new AppError('rule_unreadable', `This version does not understand the stored rule: ${stored.fault}.`);
  return stored.spec;
}
