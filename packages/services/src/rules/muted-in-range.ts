import { selectMaintenanceWindows, silencesWithin, withTenant } from '@tocsin/db';
import { alertTypeNameOf, compileRule, type EpochMs, matches, type MutedUntil, occurrenceAt, type RuleSpec } from '@tocsin/domain';
import type { Context } from '../context.ts';
import type { PlayedRange } from './play-draft.ts';

const WINDOWS_MAX = 1_000;

/** What muted a rule's alerts in a past range: the silences of then, as they are kept, and the maintenance windows of now. */
export async function mutedInRange(ctx: Context, spec: RuleSpec, { fromMs, toMs }: PlayedRange): Promise<MutedUntil> {
  const { silences, windows } = await withTenant(ctx.db, ctx.tenantId, async (tx) => ({
    silences: await silencesWithin(tx, ctx.tenantId, fromMs, toMs),
    windows: await selectMaintenanceWindows(tx, ctx.tenantId, { beforeId: null, limit: WINDOWS_MAX }),
  }));
  const { key, labels } = spec;
  const [leading] = compileRule(spec).comparisons;
  return (series, severity, cause, atMs) => {
    const alertType = leading === undefined ? 'custom' : alertTypeNameOf(leading, cause, severity);
    const alert = { labels: { ...labels, ...series }, ruleKey: key, severity, alertType };
    const ends: EpochMs[] = silences.flatMap(({ matchers, startsAtMs, endsAtMs }) =>
      startsAtMs <= atMs && atMs < endsAtMs && matches(matchers, alert) ? [endsAtMs] : [],
    );
    for (const window of windows) {
      const occurrence = matches(window.matchers, alert) ? occurrenceAt(window, atMs) : null;
      if (occurrence !== null) ends.push(occurrence.toMs);
    }
    return ends.length === 0 ? null : Math.max(...ends);
  };
}
