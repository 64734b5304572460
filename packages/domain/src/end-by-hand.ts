import type { EpochMs } from './clock.ts';
import type { SeriesState } from './series-state.ts';

/**
 * What a series is once a person has said that its alert is over: in `ok`, as after a recovery, and whatever still holds begins anew at the next slot.
 * Its cooldown is what keeps that from firing at once: the one of its last firing where that runs, else one that begins now.
 * Pure; a series without an open alert comes back as it is.
 */
export function endByHand(state: SeriesState, nowMs: EpochMs, cooldownMs: number): SeriesState {
  const { alertType } = state;
  if ((state.phase !== 'firing' && state.phase !== 'recovering') || alertType === null) return state;
  // What it went through to get here is over too: it is not flapping in the eyes of whoever ended it.
  const { rankFired: _rank, flips: _flips, isFlapping: _flapping, ...rest } = state;
  const last = state.lastFired[alertType];
  const isCooling = last === undefined || nowMs - last.slotMs < cooldownMs;
  return {
    ...rest,
    phase: 'ok',
    sinceMs: nowMs,
    unobservedMs: 0,
    alertType: null,
    severityFired: null,
    lastFired: isCooling ? state.lastFired : { ...state.lastFired, [alertType]: { ...last, slotMs: nowMs } },
  };
}
