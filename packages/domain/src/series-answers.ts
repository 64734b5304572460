import type { EpochMs } from './clock.ts';
import type { Fit } from './fit-model.ts';
import type { SeriesReading } from './reading.ts';

/** One window's reading for one series, or why there is none. */
export type Answer = SeriesReading | 'failed' | 'not_ready';

/** All that is known of one series at one slot, before it is judged. In the order of the rule's windows, histories and references. */
export interface SeriesAnswers {
  windows: readonly Answer[];
  histories: readonly (Fit | 'failed' | 'not_ready')[];
  /** Whether the other rule stands so; null: there is no such rule any more. */
  references: readonly (boolean | null)[];
  /** End of the rule's own window. */
  endMs: EpochMs;
}
