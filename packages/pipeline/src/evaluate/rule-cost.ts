import type { RuleCost } from '@tocsin/db';
import type { EpochMs } from '@tocsin/domain';
import type { EvaluableRule } from './rule-cache.ts';

/** What one look at a rule took: judging it, and its share of the reading. */
export type Look = Pick<RuleCost, (typeof FIELDS)[number]>;

const FIELDS = ['ms', 'segments', 'events', 'series'] as const;
/** The newest look counts for so much of the average. */
const WEIGHT = 1 / 8;
/** Less than this is no move: small numbers jump. */
const LEAST_MOVE: Look = { ms: 0.5, segments: 10, events: 100, series: 10 };
const WRITTEN_AT_MOST_EVERY_MS = 5 * 60_000;
/** An average that does not move is still measured. */
const WRITTEN_AT_LEAST_EVERY_MS = 6 * 3_600_000;

interface Average {
  looks: number;
  now: Look;
  lastMs: number;
  atMs: EpochMs;
  /** As written last, by this process; null: not yet. */
  written: { look: Look; atMs: EpochMs } | null;
}

/** A rule's averages go with the version of it that is kept: what it costs after a change is measured anew. */
const averages = new WeakMap<EvaluableRule, Average>();

/** Counts a look into the rule's averages. The first one of a process reads what is kept afterwards, so the second takes its place. */
export function noteLook(rule: EvaluableRule, look: Look, atMs: EpochMs): void {
  const average = averages.get(rule);
  if (average === undefined) {
    averages.set(rule, { looks: 1, now: look, lastMs: look.ms, atMs, written: null });
    return;
  }
  average.looks += 1;
  average.lastMs = look.ms;
  average.atMs = atMs;
  if (average.looks === 2) average.now = look;
  else for (const field of FIELDS) average.now[field] += (look[field] - average.now[field]) * WEIGHT;
}

/** What is to be written of a rule's cost; null: what is written says it well enough. */
export function costToWrite(rule: EvaluableRule): RuleCost | null {
  const average = averages.get(rule);
  if (average === undefined) return null;
  const { written, now, lastMs, atMs } = average;
  if (written !== null) {
    const ageMs = atMs - written.atMs;
    if (ageMs < WRITTEN_AT_MOST_EVERY_MS) return null;
    if (ageMs < WRITTEN_AT_LEAST_EVERY_MS && !FIELDS.some((field) => hasMoved(written.look[field], now[field], LEAST_MOVE[field])))
      return null;
  }
  return { ...now, lastMs, atMs };
}

/** To be called once it is committed. */
export function costWritten(rule: EvaluableRule, { atMs, ms, segments, events, series }: RuleCost): void {
  const average = averages.get(rule);
  if (average !== undefined) average.written = { look: { ms, segments, events, series }, atMs };
}

/** By more than half. */
const hasMoved = (before: number, now: number, least: number): boolean => Math.abs(now - before) > Math.max(before / 2, least);
