import {
  fitModel,
  historySpan,
  seriesKey,
  type CompiledRule,
  type EpochMs,
  type Fits,
  type HistoryInput,
  type HistoryRequest,
  type HistoryResult,
  type HistorySource,
} from '@tocsin/domain';

/** A rule of a tenant, and the end of the window it is looked at for. */
interface FitsWanted {
  tenantId: string;
  compiled: Pick<CompiledRule, 'histories'>;
  endMs: EpochMs;
}

export interface KnownFits {
  /** For each rule what is usual for its histories, in their order. Reads the past of what is not known yet, all in one call. */
  load: (wanted: readonly FitsWanted[], signal: AbortSignal, options?: { compute?: boolean }) => Promise<Map<FitsWanted, Fits[]>>;
}

/** Series whose past is kept; what was used last stays. */
const SERIES_MAX = 200_000;

interface Kept {
  toMs: EpochMs;
  fits: Extract<Fits, { kind: 'fits' }>;
}

/**
 * What is usual is worked out once a day, or hour, for each query, and kept for all rules that ask the same. While the newest hours are still being
 * prepared, what was known before holds.
 */
export function openKnownFits(source: HistorySource, atMost: number = SERIES_MAX): KnownFits {
  const kept = new Map<string, Kept>();
  let series = 0;

  const keep = (key: string, entry: Kept): void => {
    forget(key);
    kept.set(key, entry);
    series += sizeOf(entry);
    for (const oldest of kept.keys()) {
      if (series <= atMost || oldest === key) break;
      forget(oldest);
    }
  };
  const forget = (key: string): void => {
    const before = kept.get(key);
    if (before === undefined) return;
    series -= sizeOf(before);
    kept.delete(key);
  };

  return {
    async load(wanted, signal, options) {
      const missing = new Map<string, { tenantId: string; history: HistoryInput; span: { fromMs: EpochMs; toMs: EpochMs } }>();
      for (const { tenantId, compiled, endMs } of wanted) {
        for (const history of compiled.histories) {
          const span = historySpan(history, endMs);
          const key = keyOf(tenantId, history);
          const known = kept.get(key);
          if (known?.toMs !== span.toMs) missing.set(`${key} ${span.toMs}`, { tenantId, history, span });
          else keep(key, known);
        }
      }
      const found = await read(source, [...missing.values()], signal, options);
      const fitted = new Map<string, Fits>();
      for (const [index, [key, { tenantId, history, span }]] of [...missing].entries()) {
        const fits = fitsOf(history, found[index], span.fromMs);
        fitted.set(key, fits);
        if (fits.kind === 'fits') keep(keyOf(tenantId, history), { toMs: span.toMs, fits });
      }
      return new Map(
        wanted.map((each) => [
          each,
          each.compiled.histories.map((history): Fits => {
            const key = keyOf(each.tenantId, history);
            const fits = fitted.get(`${key} ${historySpan(history, each.endMs).toMs}`);
            return fits === undefined || fits.kind === 'warming' ? (kept.get(key)?.fits ?? fits ?? { kind: 'warming' }) : fits;
          }),
        ]),
      );
    },
  };
}

const sizeOf = ({ fits }: Kept): number => 1 + fits.of.size;

const words = new WeakMap<HistoryInput, string>();

function keyOf(tenantId: string, history: HistoryInput): string {
  let text = words.get(history);
  if (text === undefined) {
    text = JSON.stringify(history);
    words.set(history, text);
  }
  return `${tenantId} ${text}`;
}

async function read(
  source: HistorySource,
  missing: readonly { tenantId: string; history: HistoryInput; span: { fromMs: EpochMs; toMs: EpochMs } }[],
  signal: AbortSignal,
  options: { compute?: boolean } | undefined,
): Promise<HistoryResult[]> {
  if (missing.length === 0) return [];
  const requests = missing.map(({ tenantId, history: { query }, span }): HistoryRequest => ({ tenantId, queries: [{ query, ...span }] }));
  return (await source.history(requests, signal, options)).map(([result]) => result!);
}

function fitsOf({ model }: HistoryInput, result: HistoryResult | undefined, fromMs: EpochMs): Fits {
  if (result === undefined || result.kind === 'failed') return { kind: 'failed' };
  if (result.kind === 'warming') return { kind: 'warming' };
  return { kind: 'fits', of: new Map(result.series.map((series) => [seriesKey(series.labels), fitModel(model, series, fromMs)])) };
}
