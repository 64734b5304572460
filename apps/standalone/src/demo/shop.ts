/** A made-up shop that answers its customers with language models. Only its numbers matter: they look like a real one's. */
export interface ShopEvent {
  ts: number;
  name: 'llm.call';
  dims: Record<string, string>;
  measures: Record<string, number>;
}

const MODELS = [
  { model: 'gpt-4o', provider: 'openai', medianMs: 900, centsPerThousand: 0.9, share: 0.5 },
  { model: 'mistral-large', provider: 'mistral', medianMs: 1_100, centsPerThousand: 0.8, share: 0.3 },
  { model: 'small-local', provider: 'local', medianMs: 300, centsPerThousand: 0.05, share: 0.2 },
] as const;
const OPERATIONS = ['chat', 'summarize', 'search'] as const;
const CUSTOMERS = 40;
const BASE_ERROR_SHARE = 0.01;
/** What breaking the shop does: a provider that answers slowly and often not at all. */
const BROKEN = { slowdown: 8, errorShare: 0.4 } as const;

export interface ShopOptions {
  isBroken: boolean;
  /** Uniform in [0, 1). */
  random: () => number;
}

/** What the shop did at one instant. */
export function shopEvent(atMs: number, { isBroken, random }: ShopOptions): ShopEvent {
  const { model, provider, medianMs, centsPerThousand } = pick(random());
  const failed = random() < (isBroken ? BROKEN.errorShare : BASE_ERROR_SHARE);
  const durationMs = Math.round(medianMs * spread(random) * (isBroken ? BROKEN.slowdown : 1));
  const inputTokens = Math.round(200 + 1_800 * random());
  const outputTokens = failed ? 0 : Math.round(50 + 700 * random());
  const totalTokens = inputTokens + outputTokens;
  return {
    ts: atMs,
    name: 'llm.call',
    dims: {
      model,
      provider,
      operation: OPERATIONS[Math.floor(random() * OPERATIONS.length)] ?? 'chat',
      status: failed ? (random() < 0.5 ? 'error' : 'timeout') : 'ok',
      user: `customer-${Math.floor(random() * CUSTOMERS)}`,
      env: 'demo',
    },
    measures: {
      duration_ms: durationMs,
      ttft_ms: Math.round(durationMs * (0.1 + 0.2 * random())),
      cost: Math.round((totalTokens / 1_000) * centsPerThousand * 100) / 10_000,
      input_tokens: inputTokens,
      output_tokens: outputTokens,
      total_tokens: totalTokens,
    },
  };
}

/** Calls a minute: quiet at four in the morning UTC, three times as busy twelve hours later. */
export function callsPerMinute(atMs: number): number {
  const hour = (atMs / 3_600_000) % 24;
  return Math.round(80 - 40 * Math.cos(((hour - 4) / 12) * Math.PI));
}

function pick(at: number): (typeof MODELS)[number] {
  let reached = 0;
  for (const candidate of MODELS) {
    reached += candidate.share;
    if (at < reached) return candidate;
  }
  return MODELS[0];
}

/** A long right tail around 1: the exponential of a rough normal (sum of uniforms). */
function spread(random: () => number): number {
  const normal = random() + random() + random() + random() - 2;
  return Math.exp(0.6 * normal);
}
