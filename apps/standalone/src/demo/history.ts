import { seeded } from './seeded.ts';
import { callsPerMinute, type ShopEvent, shopEvent } from './shop.ts';

const MINUTE = 60_000;
const CHUNK = 30 * MINUTE;
const DAY = 24 * 60 * MINUTE;

export interface HistoryChunk {
  /** Names the chunk's span, so that a second start's request is recognised as the first one's. */
  idempotencyKey: string;
  events: ShopEvent[];
}

/** The day before `nowMs` in requests the API takes: whole half hours, then the minutes since the last one. */
export function* dayOfHistory(nowMs: number): Generator<HistoryChunk> {
  const lastMinute = Math.floor(nowMs / MINUTE) * MINUTE;
  const lastChunk = Math.floor(lastMinute / CHUNK) * CHUNK;
  for (let at = lastChunk - DAY; at < lastChunk; at += CHUNK) yield span(at, at + CHUNK);
  for (let at = lastChunk; at < lastMinute; at += MINUTE) yield span(at, at + MINUTE);
}

function span(fromMs: number, toMs: number): HistoryChunk {
  const events: ShopEvent[] = [];
  for (let minute = fromMs; minute < toMs; minute += MINUTE) {
    const random = seeded(minute / MINUTE);
    const calls = callsPerMinute(minute);
    for (let call = 0; call < calls; call++) {
      events.push(shopEvent(minute + Math.floor((call * MINUTE) / calls), { isBroken: false, random }));
    }
  }
  return { idempotencyKey: `demo-${fromMs}-${toMs}`, events };
}
