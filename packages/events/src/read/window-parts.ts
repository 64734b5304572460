import type { Accumulator } from './accumulator.ts';
import type { Window } from './compile-plan.ts';
import type { Part } from './kept-partials.ts';
import type { KeptSegments } from './kept-segments.ts';

/** By place among the slots: 1 where the segment has to be opened. */
export function markOverlapping(
  { fromMs, toMs }: Window,
  { minTs, maxTs }: KeptSegments,
  slots: readonly number[],
  toOpen: Uint8Array,
): void {
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (maxTs[slot]! >= fromMs && minTs[slot]! < toMs) toOpen[i] = 1;
  }
}

/** Those whose part in the window is not known yet, and those that cannot be known because they are cut elsewhere. */
export function markUnknown(window: Window, kept: KeptSegments, slots: readonly number[], toOpen: Uint8Array): void {
  const { fromMs, toMs } = window;
  const partials = window.partials!;
  const { minTs, maxTs, cuts } = kept;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    const first = minTs[slot]!;
    const last = maxTs[slot]!;
    if (last < fromMs || first >= toMs) continue;
    if (first >= fromMs && last < toMs) {
      if (!partials.has(slot, 'whole')) toOpen[i] = 1;
      continue;
    }
    if (Number.isNaN(cuts[slot]!)) kept.cuts[slot] = first < fromMs ? fromMs : toMs;
    const part = partOf(window, kept, slot);
    if (part === null || !partials.has(slot, part)) toOpen[i] = 1;
  }
}

/** What a window has of a segment that it touches; null when it is cut elsewhere. */
export function partOf({ fromMs, toMs }: Window, { minTs, maxTs, cuts }: KeptSegments, slot: number): Part | null {
  const startsInside = minTs[slot]! >= fromMs;
  const endsInside = maxTs[slot]! < toMs;
  if (startsInside && endsInside) return 'whole';
  const cutMs = cuts[slot]!;
  if (startsInside) return cutMs === toMs ? 0 : null;
  return endsInside && cutMs === fromMs ? 1 : null;
}

/** Adds up what is known. */
export function addKnown(window: Window, kept: KeptSegments, slots: readonly number[], accumulator: Accumulator): void {
  const { fromMs, toMs } = window;
  const partials = window.partials!;
  const { minTs, maxTs } = kept;
  let segments = 0;
  for (let i = 0; i < slots.length; i++) {
    const slot = slots[i]!;
    if (maxTs[slot]! < fromMs || minTs[slot]! >= toMs) continue;
    const part = partOf(window, kept, slot);
    if (part === null || !partials.has(slot, part)) continue;
    partials.addTo(accumulator, slot, part);
    segments += 1;
  }
  window.segments += segments;
}
