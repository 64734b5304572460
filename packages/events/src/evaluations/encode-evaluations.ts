import { newId, type NewSegment } from '@tocsin/db';
import { encodeSegment } from '../codec/codec.ts';
import type { EvaluationRow } from '../evaluation-row.ts';
import type { TelemetryEvent } from '../event.ts';

const MINUTE = 60_000;

/** Rows of one tenant as segments of the stream `evaluations`, one a minute, to be inserted in the transaction that commits the run. */
export function encodeEvaluations(tenantId: string, rows: readonly EvaluationRow[]): NewSegment[] {
  const byMinute = Map.groupBy(rows, ({ slotMs }) => Math.floor(slotMs / MINUTE));
  return [...byMinute.values()].map((inMinute) => {
    const slots = inMinute.map(({ slotMs }) => slotMs);
    return {
      tenantId,
      id: newId(),
      stream: 'evaluations',
      level: 0,
      startsAtMs: slots.reduce((a, b) => Math.min(a, b)),
      endsAtMs: slots.reduce((a, b) => Math.max(a, b)) + 1,
      eventCount: inMinute.length,
      data: encodeSegment(inMinute.map(eventOf), { compact: false }),
    };
  });
}

/** The labels are not stored: they are the series key, parsed. A rule of one comparison with a plain threshold pays nothing for the last two. */
function eventOf(row: EvaluationRow): TelemetryEvent {
  const { ruleId: rule, runId: run, seriesKey: series, operator, outcome, reason, severity, value, threshold, comparison, origin } = row;
  return {
    tsMs: row.slotMs,
    name: 'tocsin.evaluation',
    dims: present({ rule, run, series, operator, outcome, reason, severity, origin: origin === null ? null : JSON.stringify(origin) }),
    measures: present({
      value,
      threshold,
      evaluated_at: row.evaluatedAtMs,
      triggered: row.triggered ? 1 : 0,
      samples: row.samples,
      window_from: row.windowFromMs,
      window_to: row.windowToMs,
      duration: row.durationMs,
      version: row.version,
      comparison: comparison === 0 ? null : comparison,
    }),
  };
}

function present<T>(fields: Record<string, T | null>): Record<string, T> {
  return Object.fromEntries(Object.entries(fields).filter((entry): entry is [string, T] => entry[1] !== null));
}
