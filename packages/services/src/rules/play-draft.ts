import { findSchedule, rulesByKey, withTenant } from '@tocsin/db';
import { type CompiledRule, compileRule, leavesOf, parseDuration, phaseOf, readStoredRule, type RuleSpec } from '@tocsin/domain';
import { NotPlayed, playRule, type Played } from '@tocsin/pipeline';
import { AppError, invalid, notFound } from '../app-error.ts';
import type { Context } from '../context.ts';

/** What is played, and over which time. */
export interface PlayedRange {
  fromMs: number;
  toMs: number;
}

const RANGE_MAX_MS = 30 * 86_400_000;
const SERIES_MAX = 1_000;

/** Throws a 422 unless the range goes forward, over 30 days at most and not into the future. */
export function checkRange({ fromMs, toMs }: PlayedRange): void {
  if (toMs <= fromMs) throw invalid([{ pointer: '/to', code: 'out_of_range', message: 'must be after `from`' }]);
  if (toMs - fromMs > RANGE_MAX_MS)
    throw invalid([{ pointer: '/from', code: 'out_of_range', message: 'must be at most 30 days before `to`' }]);
}

/** How far apart shown points lie; null: as the number of points asks for. Throws a 422. */
export function stepOf(step: string | undefined): number | null {
  if (step === undefined) return null;
  const stepMs = parseDuration(step);
  if (stepMs !== null && stepMs >= 1_000) return stepMs;
  throw invalid([{ pointer: '/step', code: 'bad_duration', message: 'must be a duration of at least 1s, such as 1m or 1h' }]);
}

/** Plays a rule over the past for the caller's tenant, with the tenant's other rules as they are now. Throws a 422 for what is too much. */
export async function playDraft(
  ctx: Context,
  spec: RuleSpec,
  range: PlayedRange,
  signal: AbortSignal,
  progress?: (share: number) => void,
): Promise<Played & { rule: CompiledRule }> {
  const { tenantId, events } = ctx;
  const { everyMs, others } = await withTenant(ctx.db, tenantId, async (tx) => {
    const schedule = await findSchedule(tx, tenantId);
    if (schedule === null) throw notFound('schedule');
    const found = new Map<string, CompiledRule>();
    // What is referred to may itself refer to others.
    for (let wanted = keysIn(spec); wanted.length > 0;) {
      const rows = await rulesByKey(tx, tenantId, wanted);
      const read = rows.flatMap((row) => {
        const stored = readStoredRule(row.spec);
        return stored.ok ? [stored] : [];
      });
      for (const { spec: other, compiled } of read) found.set(other.key, compiled);
      wanted = read.flatMap(({ spec: other }) => keysIn(other)).filter((key) => !found.has(key));
    }
    return { everyMs: schedule.everyMs, others: found };
  });
  const rule = compileRule(spec);
  const play = { tenantId, rule, others, ...range, everyMs, phaseMs: phaseOf(tenantId), maxSeries: SERIES_MAX };
  try {
    return { ...(await playRule({ ranges: events, histories: events }, play, signal, progress)), rule };
  } catch (error) {
    if (!(error instanceof NotPlayed)) throw error;
    throw new AppError('bound_exceeded', `Too much at once: ${error.message}.`, { cause: error });
  }
}

const keysIn = ({ condition }: RuleSpec): string[] => leavesOf(condition).flatMap((leaf) => ('rule' in leaf ? [leaf.rule] : []));
