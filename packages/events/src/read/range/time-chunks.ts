import type { EpochMs, RangeWindow } from '@tocsin/domain';

const HOUR = 3_600_000;
const FIRST_MS = HOUR;
const LONGEST_MS = 7 * 24 * HOUR;
/** A chunk of fewer events is followed by one of twice the time, one of more by one of half of it. */
const FEW_EVENTS = 250_000;
const MANY_EVENTS = 1_000_000;
/** What lies closer together is read together. */
const NEAR_MS = HOUR;

/** Stretches of time, oldest first, in chunks of about as many events as may lie in memory opened. */
export class TimeChunks {
  private readonly spans: RangeWindow[] = [];
  private readonly totalMs: number;
  private spanMs = FIRST_MS;

  constructor(spans: readonly RangeWindow[]) {
    for (const { fromMs, toMs } of spans.toSorted((a, b) => a.fromMs - b.fromMs)) {
      const last = this.spans.at(-1);
      if (last !== undefined && fromMs <= last.toMs + NEAR_MS) last.toMs = Math.max(last.toMs, toMs);
      else this.spans.push({ fromMs, toMs });
    }
    this.totalMs = this.leftMs;
  }

  /** Null at the end. */
  next(): RangeWindow | null {
    const [first] = this.spans;
    if (first === undefined) return null;
    const { fromMs } = first;
    // Segments end with the hour: those of another chunk would be opened twice.
    const endMs: EpochMs = Math.floor((fromMs + this.spanMs) / HOUR) * HOUR;
    const toMs = Math.min(first.toMs, endMs > fromMs ? endMs : fromMs + this.spanMs);
    if (toMs === first.toMs) this.spans.shift();
    else first.fromMs = toMs;
    return { fromMs, toMs };
  }

  get isEnd(): boolean {
    return this.spans.length === 0;
  }

  /** After a chunk: how many events there were. */
  learn(events: number): void {
    if (events < FEW_EVENTS) this.spanMs = Math.min(LONGEST_MS, this.spanMs * 2);
    else if (events > MANY_EVENTS) this.spanMs = Math.max(FIRST_MS, this.spanMs / 2);
  }

  /** Of the time, how much was handed out. */
  get share(): number {
    return this.totalMs === 0 ? 1 : 1 - this.leftMs / this.totalMs;
  }

  private get leftMs(): number {
    return this.spans.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
  }
}
