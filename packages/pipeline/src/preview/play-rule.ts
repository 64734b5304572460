import {
  replayRule,
  slotsToReplay,
  standsSo,
  windowsAt,
  type Circumstances,
  type CompiledRule,
  type EpochMs,
  type HistorySource,
  type RangeQuery,
  type RangeSource,
  type Replay,
  type ReplaySlots,
  type SeriesState,
} from '@tocsin/domain';
import { fitsOverSlots } from './fits-over-slots.ts';

/** More slots are not played at once: a month at a minute is fewer. */
export const PREVIEW_SLOTS_MAX = 50_000;
const SLICE_MS = 50;
/** Of the work, roughly, that is reading. */
const READING_SHARE = 0.7;

export interface PlayDeps {
  ranges: RangeSource;
  histories: HistorySource;
}

/** A rule to be played over the past, and the tenant's other rules by key that it may refer to. */
export interface Play {
  tenantId: string;
  rule: CompiledRule;
  others: ReadonlyMap<string, CompiledRule>;
  fromMs: EpochMs;
  toMs: EpochMs;
  /** Of the tenant's schedule, for rules without their own. */
  everyMs: number;
  phaseMs: number;
  maxSeries: number;
}

export interface Played {
  replay: Replay;
  slots: ReplaySlots;
}

/** The past cannot be played: it holds too much, or could not be read. `code` is the source's own. */
export class NotPlayed extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'NotPlayed';
    this.code = code;
  }
}

/**
 * Plays a rule over the slots in `(fromMs, toMs]`: the past is read in one pass and each slot taken by the very step that is taken live. What other rules
 * it refers to are played first. Throws `NotPlayed`. `progress` is told the share of the work that is done.
 */
export async function playRule(
  deps: PlayDeps,
  play: Play,
  signal: AbortSignal,
  progress: (share: number) => void = () => {},
): Promise<Played> {
  return playInside(deps, play, signal, progress, undefined, new Set());
}

async function playInside(
  deps: PlayDeps,
  play: Play,
  signal: AbortSignal,
  progress: (share: number) => void,
  onStates: ((slotMs: EpochMs, states: SeriesState[]) => void) | undefined,
  above: ReadonlySet<string>,
): Promise<Played> {
  const { tenantId, rule, maxSeries } = play;
  const everyMs = rule.everyMs ?? play.everyMs;
  const slots = slotsToReplay(rule, { ...play, everyMs });
  if (slots.slots.length > PREVIEW_SLOTS_MAX) {
    throw new NotPlayed('too_many_slots', `gives ${slots.slots.length} slots; at most ${PREVIEW_SLOTS_MAX} are played: shorten the range`);
  }
  const endsMs = slots.slots.map((slotMs) => slotMs - rule.evaluationDelayMs);
  const references = await timelines(deps, play, signal, above);
  const fits = await fitsOverSlots(deps.histories, tenantId, rule, endsMs, signal);
  const queries = queriesOver(rule, endsMs);
  const results = await deps.ranges.readRange({ tenantId, queries, maxSeries }, signal, (share) => progress(share * READING_SHARE));
  for (const result of results) if (result.kind === 'failed') throw new NotPlayed(result.code, result.message);
  const circumstancesAt = (slot: number): Circumstances => ({
    fits: fits(slot),
    references: references.map((standsAt) => standsAt(slots.slots[slot]!)),
    atMost: maxSeries,
  });
  const replay = await inSlices(replayRule(rule, results, slots, circumstancesAt, onStates), slots.slots.length, signal, (share) =>
    progress(READING_SHARE + share * (1 - READING_SHARE)),
  );
  return { replay, slots };
}

/** The rule's windows, each over all slots. */
function queriesOver(rule: CompiledRule, endsMs: readonly EpochMs[]): RangeQuery[] {
  const atSlots = endsMs.map((endMs) => windowsAt(rule, endMs));
  return rule.windows.map(({ query }, index) => ({
    query,
    windows: atSlots.map((windows) => {
      const { endMs, query: asked } = windows[index]!;
      return { fromMs: endMs - asked.windowMs, toMs: endMs };
    }),
  }));
}

type StandsAt = (slotMs: EpochMs) => boolean | null;

/** For each reference how the other rule stood: as its newest slot left it. */
async function timelines(deps: PlayDeps, play: Play, signal: AbortSignal, above: ReadonlySet<string>): Promise<StandsAt[]> {
  const standing: StandsAt[] = [];
  for (const { rule: key, is } of play.rule.references) {
    const other = above.has(key) ? undefined : play.others.get(key);
    if (other === undefined) {
      standing.push(() => null);
      continue;
    }
    const holds: { at: EpochMs; stands: boolean }[] = [];
    const note = (at: EpochMs, states: SeriesState[]): void => void holds.push({ at, stands: standsSo(states, is) });
    await playInside(deps, { ...play, rule: other }, signal, () => {}, note, new Set(above).add(key));
    let next = 0;
    // Slots are asked for in order.
    standing.push((slotMs) => {
      while (next < holds.length && holds[next]!.at <= slotMs) next += 1;
      return next === 0 ? false : holds[next - 1]!.stands;
    });
  }
  return standing;
}

async function inSlices(
  steps: Generator<undefined, Replay>,
  total: number,
  signal: AbortSignal,
  progress: (share: number) => void,
): Promise<Replay> {
  let sliceStartMs = performance.now();
  for (let done = 1; ; done++) {
    const step = steps.next();
    if (step.done === true) return step.value;
    if (performance.now() - sliceStartMs < SLICE_MS) continue;
    progress(Math.min(1, done / total));
    await new Promise(setImmediate);
    signal.throwIfAborted();
    sliceStartMs = performance.now();
  }
}
