import type { EpochMs, Labels, Operator, Origin } from '@tocsin/domain';

/** What one rule found for one series at one slot: history, kept and expired like telemetry. */
export interface EvaluationRow {
  ruleId: string;
  runId: string;
  slotMs: EpochMs;
  evaluatedAtMs: EpochMs;
  seriesKey: string;
  labels: Labels;
  value: number | null;
  threshold: number | null;
  operator: Operator | null;
  triggered: boolean;
  samples: number;
  /** Which of the rule's comparisons these numbers are of, by its place. */
  comparison: number;
  /** Where the threshold came from, or the value; null: the rule says the one, and the other was read. */
  origin: Origin | null;
  windowFromMs: EpochMs;
  windowToMs: EpochMs;
  durationMs: number;
  outcome: string;
  reason: string | null;
  severity: string | null;
  /** The rule's version that was evaluated. */
  version: number;
}

export interface EvaluationPage {
  rows: EvaluationRow[];
  /** Opaque; null on the last page. */
  nextCursor: string | null;
}
