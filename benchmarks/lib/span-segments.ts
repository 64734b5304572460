import { newId, type NewSegment } from '@tocsin/db';
import { encodeSegment } from '@tocsin/events';
import type { Spans } from './span-data.ts';

/** A tenant's minute as ingest would have stored it. */
export function segmentOf(tenantId: string, spans: Spans): NewSegment {
  const events = Array.from({ length: spans.count }, (_, row) => ({
    tsMs: spans.tsMs[row]!,
    name: 'llm.call',
    dims: {
      operation: `op${spans.operation[row]}`,
      model: `model-${spans.model[row]}`,
      status: spans.failed[row] === 1 ? 'error' : 'ok',
      env: 'prod',
    },
    measures: {
      duration_ms: spans.durationMs[row]!,
      ttft_ms: spans.ttftMs[row]!,
      cost: spans.cost[row]!,
      input_tokens: spans.inputTokens[row]!,
      output_tokens: spans.outputTokens[row]!,
    },
  }));
  const data = encodeSegment(events, { compact: false });
  return {
    tenantId,
    id: newId(),
    stream: 'events',
    level: 0,
    startsAtMs: events[0]!.tsMs,
    endsAtMs: events.at(-1)!.tsMs + 1,
    eventCount: events.length,
    data,
  };
}
