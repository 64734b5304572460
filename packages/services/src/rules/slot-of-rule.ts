import { firstState, phaseAfter, standsSo, type CompiledRule, type EpochMs, type Phase, type SeriesState } from '@tocsin/domain';
import type { EvaluationRow } from '@tocsin/events';
import type { Context } from '../context.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** A rule's series at one slot, and what is told apart from them. */
const ROWS_MAX = 2_000;

/** What was recorded of a rule at one slot: every series. */
export async function rowsAt({ events, tenantId }: Context, ruleId: string, slotMs: EpochMs): Promise<EvaluationRow[]> {
  return (await events.readEvaluations(tenantId, ruleId, { fromMs: slotMs, toMs: slotMs + 1, limit: ROWS_MAX })).rows;
}

/** The newest slot before an instant at which the rule was evaluated; null: none is kept. */
export async function slotBefore({ events, tenantId }: Context, ruleId: string, beforeMs?: EpochMs): Promise<EpochMs | null> {
  const { rows } = await events.readEvaluations(tenantId, ruleId, { toMs: beforeMs, limit: 1 });
  return rows[0]?.slotMs ?? null;
}

/** The oldest slot after an instant at which the rule was evaluated; null: none within a day. */
export async function slotAfter({ events, tenantId }: Context, ruleId: string, afterMs: EpochMs): Promise<EpochMs | null> {
  for (const aheadMs of [HOUR_MS / 12, HOUR_MS, DAY_MS]) {
    let cursor: string | undefined;
    let oldest: EpochMs | null = null;
    do {
      const page = await events.readEvaluations(tenantId, ruleId, {
        fromMs: afterMs + 1,
        toMs: afterMs + aheadMs + 1,
        limit: ROWS_MAX,
        cursor,
      });
      oldest = page.rows.at(-1)?.slotMs ?? oldest;
      cursor = page.nextCursor ?? undefined;
    } while (cursor !== undefined);
    if (oldest !== null) return oldest;
  }
  return null;
}

/** How far back it is looked for what a series' phase was: many slots change nothing, and do not say what it stayed. */
const ROWS_BACK = 5_000;

/** How a series stood. `isHeld`: its alert was on a breach, so that `recover` stands in place of the threshold. */
export interface Stood {
  phase: Phase;
  isHeld: boolean;
}

/**
 * The phase each of these series was in before a slot, as far as what was recorded in the day before says; a series that is not recorded there is new, and
 * was ok. Of one whose recorded slots changed nothing nobody can say: it is absent.
 */
export async function phasesBefore(
  { events, tenantId }: Context,
  ruleId: string,
  slotMs: EpochMs,
  wanted: ReadonlySet<string>,
): Promise<Map<string, Stood>> {
  const phases = new Map<string, Stood>();
  const seen = new Set<string>();
  let cursor: string | undefined;
  let read = 0;
  do {
    const page = await events.readEvaluations(tenantId, ruleId, { fromMs: slotMs - DAY_MS, toMs: slotMs, limit: ROWS_MAX, cursor });
    for (const { seriesKey, outcome, reason } of page.rows) {
      if (!wanted.has(seriesKey)) continue;
      seen.add(seriesKey);
      const phase = outcome === 'superseded' ? null : phaseAfter(reason);
      if (phase !== null && !phases.has(seriesKey)) phases.set(seriesKey, { phase, isHeld: isHeld(phase, reason) });
    }
    read += page.rows.length;
    cursor = phases.size === wanted.size ? undefined : (page.nextCursor ?? undefined);
  } while (cursor !== undefined && read < ROWS_BACK);
  if (cursor === undefined) for (const key of wanted) if (!seen.has(key)) phases.set(key, { phase: 'ok', isHeld: false });
  return phases;
}

const isHeld = (phase: Phase, reason: string | null): boolean =>
  (phase === 'firing' || phase === 'recovering') && reason !== 'no_data_alert' && reason !== 'error_alert';

/** Whether the rules a rule refers to stood so at a slot, as recorded at their own newest slot by then; null: not known. `ids` are those rules', by key. */
export async function standingsAt(
  ctx: Context,
  { references }: CompiledRule,
  ids: ReadonlyMap<string, string>,
  slotMs: EpochMs,
): Promise<(boolean | null)[]> {
  const standings: (boolean | null)[] = [];
  for (const { rule, is } of references) {
    const id = ids.get(rule);
    const itsSlotMs = id === undefined ? null : await slotBefore(ctx, id, slotMs + 1);
    standings.push(id === undefined || itsSlotMs === null ? null : standsSo(await statesAt(ctx, id, itsSlotMs), is));
  }
  return standings;
}

async function statesAt(ctx: Context, ruleId: string, slotMs: EpochMs): Promise<SeriesState[]> {
  const rows = await rowsAt(ctx, ruleId, slotMs);
  const before = await phasesBefore(ctx, ruleId, slotMs, new Set(rows.map(({ seriesKey }) => seriesKey)));
  return rows.map(({ seriesKey, reason, outcome }) => ({
    ...firstState(slotMs),
    phase: phaseAfter(reason) ?? before.get(seriesKey)?.phase ?? 'ok',
    health: outcome === 'no_data' ? 'no_data' : 'ok',
  }));
}
