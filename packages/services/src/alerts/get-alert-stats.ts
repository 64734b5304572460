import { AskAlertStats, type AlertStats } from '@tocsin/contracts';
import { readAlertStats, withTenantsSql } from '@tocsin/db';
import type { Context } from '../context.ts';
import { parse } from '../parse.ts';
import { timeText } from '../time-text.ts';
import { verb } from '../verb.ts';

/** How alerts come and go, and how they are handled and told. */
export const getAlertStats = verb(
  'alerts:read',
  async ({ ctx, input }: { ctx: Context; input: { query: unknown } }): Promise<AlertStats> => {
    const { from: fromMs = null, to: toMs = null } = parse(AskAlertStats, input.query, 'query');
    const read = await withTenantsSql(ctx.db, [ctx.tenantId], (sql) => readAlertStats(sql, ctx.tenantId, { fromMs, toMs }));
    const { totals } = read;
    const open = new Map(read.openBySeverity.map(({ severity, count }) => [severity, count]));
    return {
      from: timeText(read.fromMs),
      to: timeText(read.toMs),
      total: totals.total,
      open: totals.open,
      critical: totals.critical,
      resolved: totals.resolved,
      resolutionRate: shareOf(totals.resolved, totals.total),
      detectionDelayMs: { p50: totals.detectionP50Ms, p95: totals.detectionP95Ms },
      openBySeverity: {
        info: open.get('info') ?? 0,
        warning: open.get('warning') ?? 0,
        error: open.get('error') ?? 0,
        critical: open.get('critical') ?? 0,
      },
      perDay: read.days.map((day) => ({ ...day })),
      mttaMs: totals.toAcknowledgeMs,
      mttrMs: totals.toResolveMs,
      noisiestRules: read.noisiest.map(({ ruleId: id, ruleKey: key, ruleName: name, count, autoResolvedSoon, noise }) => ({
        rule: { id, key, name },
        alerts: count,
        autoResolvedUnder2m: autoResolvedSoon,
        noise,
      })),
      autoResolvedUnder2mShare: shareOf(totals.autoResolvedSoon, totals.autoResolved),
      deliveries: read.channels.map(({ latencyP50Ms: p50, latencyP95Ms: p95, ...counts }) => ({
        ...counts,
        successRate: shareOf(counts.delivered, counts.delivered + counts.dead),
        latencyMs: { p50, p95 },
      })),
      falsePositives: totals.noise,
      falseNegatives: read.missed,
    };
  },
);

/** Null: of nothing there is no share. */
const shareOf = (part: number, whole: number): number | null => (whole === 0 ? null : part / whole);
