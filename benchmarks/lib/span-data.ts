/** The data set of the evaluation benchmark: LLM calls of many tenants over an hour, a few tenants sending most of them. */
export interface Spans {
  tenant: number;
  minuteMs: number;
  count: number;
  tsMs: Float64Array;
  operation: Uint8Array;
  model: Uint8Array;
  /** 1: error. */
  failed: Uint8Array;
  durationMs: Float64Array;
  ttftMs: Float64Array;
  cost: Float64Array;
  inputTokens: Float64Array;
  outputTokens: Float64Array;
}

const OPERATIONS = 8;
const MODELS = 6;
const MINUTE = 60_000;

/** A small fast generator with a seed, so that every run sees the same data (mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** How many spans each tenant sends in a minute: tenant = tenants × r³, so the first one sends a tenth of everything. */
export function spansPerMinute(tenants: number, perMinute: number): number[] {
  return Array.from({ length: tenants }, (_, tenant) => {
    const share = Math.cbrt((tenant + 1) / tenants) - Math.cbrt(tenant / tenants);
    return Math.max(1, Math.round(perMinute * share));
  });
}

export function spansOf(tenant: number, minuteMs: number, count: number): Spans {
  const random = seeded(tenant * 1_000_003 + minuteMs / MINUTE);
  const spans: Spans = {
    tenant,
    minuteMs,
    count,
    tsMs: new Float64Array(count),
    operation: new Uint8Array(count),
    model: new Uint8Array(count),
    failed: new Uint8Array(count),
    durationMs: new Float64Array(count),
    ttftMs: new Float64Array(count),
    cost: new Float64Array(count),
    inputTokens: new Float64Array(count),
    outputTokens: new Float64Array(count),
  };
  for (let row = 0; row < count; row++) {
    spans.tsMs[row] = minuteMs + Math.floor((row * MINUTE) / count);
    spans.operation[row] = Math.floor(random() * OPERATIONS);
    spans.model[row] = Math.floor(random() * MODELS);
    spans.failed[row] = random() < 0.03 ? 1 : 0;
    spans.durationMs[row] = Math.round(Math.exp(5 + random() * 3) * 100) / 100;
    spans.ttftMs[row] = Math.round(Math.exp(3 + random() * 3) * 100) / 100;
    spans.cost[row] = Math.round(random() * 10_000) / 1e6;
    spans.inputTokens[row] = Math.floor(random() * 2_000);
    spans.outputTokens[row] = Math.floor(random() * 800);
  }
  return spans;
}
