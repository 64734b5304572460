import { activeFrom, isActive, type ActiveHours } from './active-hours.ts';
import type { EpochMs } from './clock.ts';
import { finestStep, readCron, type CronInstants } from './cron.ts';
import { nextSlot, planClaim, type ClaimPlan } from './slots.ts';

/** When a tenant is looked at. */
export interface Calendar {
  /** The grid: its phase and the distance of its slots, in milliseconds. Rests where there is a cron. */
  everyMs: number;
  phaseMs: number;
  /** Slots are at least this far apart; 0: as they come. */
  debounceMs: number;
  /** Of the cron and the hours. */
  timeZone: string;
  /** Null: slots are those of the grid. */
  cron: string | null;
  /** Empty: always. */
  activeHours: readonly ActiveHours[];
  /** No slot before it; null: not paused. */
  pausedUntilMs: EpochMs | null;
}

/** Slots looked at in one claim where they cannot be counted by arithmetic; what is left is due at once again. */
const SLOTS_PER_CLAIM = 500;
/** Of a cron's instants, until one lies within the hours. */
const INSTANTS_TRIED = 100;
const LONGEST_STEP_MS = 400 * 86_400_000;

/**
 * The first slot after an instant, and at least `debounceMs` after the slot before; null: there is none any more.
 * A slot of the grid outside of the active hours or in a pause is moved to their next beginning, several of them to the same; instants of a
 * cron outside of them are left out. Strictly increasing, so that no slot is lost or given twice.
 */
export function slotAfter(calendar: Calendar, afterMs: EpochMs, lastSlotMs: EpochMs | null): EpochMs | null {
  const { cron, debounceMs, timeZone } = calendar;
  const fromMs = lastSlotMs === null ? afterMs : Math.max(afterMs, lastSlotMs + debounceMs - 1);
  return cron === null ? gridSlotAfter(calendar, fromMs) : cronSlotAfter(calendar, readCron(cron, timeZone), fromMs);
}

function gridSlotAfter(calendar: Calendar, fromMs: EpochMs): EpochMs {
  const nextMs = nextSlot(fromMs, calendar.everyMs, calendar.phaseMs);
  // What lies before may have been moved to after it.
  const movedMs = placed(calendar, nextMs - calendar.everyMs);
  return movedMs > fromMs ? movedMs : placed(calendar, nextMs);
}

function cronSlotAfter({ activeHours, timeZone, pausedUntilMs }: Calendar, cron: CronInstants, fromMs: EpochMs): EpochMs | null {
  let atMs = cron.after(Math.max(fromMs, (pausedUntilMs ?? 0) - 1));
  for (let tried = 0; atMs !== null && tried < INSTANTS_TRIED; tried += 1) {
    if (isActive(atMs, activeHours, timeZone)) return atMs;
    atMs = cron.after(activeFrom(atMs, activeHours, timeZone) - 1);
  }
  return null;
}

/** Where a slot of a grid comes to lie: there, or at the next beginning of the active hours, after the pause. */
export function placed(
  { activeHours, timeZone, pausedUntilMs }: Pick<Calendar, 'activeHours' | 'timeZone' | 'pausedUntilMs'>,
  slotMs: EpochMs,
): EpochMs {
  return activeFrom(Math.max(slotMs, pausedUntilMs ?? slotMs), activeHours, timeZone);
}

/** How far slots lie apart where they follow each other closest: what is later than one and a half times that leaves a gap. Null: a cron of a single instant, or none. */
export function stepOf(calendar: Calendar, fromMs: EpochMs): number | null {
  const { everyMs, cron, timeZone, debounceMs } = calendar;
  const finestMs = cron === null ? everyMs : finestStep(readCron(cron, timeZone), fromMs);
  if (finestMs === null) return null;
  return Math.min(LONGEST_STEP_MS, finestMs * Math.max(1, Math.ceil(debounceMs / finestMs)));
}

/** `planClaim` for any calendar. Null instead of the next slot: there is none. */
export function planCalendarClaim(
  calendar: Calendar,
  due: { nextSlotMs: EpochMs; nowMs: EpochMs },
): Omit<ClaimPlan, 'nextSlotMs'> & { nextSlotMs: EpochMs | null } {
  if (isPlain(calendar, due.nextSlotMs)) return planClaim({ ...due, everyMs: calendar.everyMs, phaseMs: calendar.phaseMs });
  let [runSlotMs, missedMs, count] = [due.nextSlotMs, due.nextSlotMs, 0];
  let nextSlotMs = slotAfter(calendar, runSlotMs, runSlotMs);
  while (nextSlotMs !== null && nextSlotMs <= due.nowMs && count < SLOTS_PER_CLAIM) {
    [missedMs, runSlotMs, count] = [runSlotMs, nextSlotMs, count + 1];
    nextSlotMs = slotAfter(calendar, runSlotMs, runSlotMs);
  }
  const skipped = count === 0 ? null : { fromMs: due.nextSlotMs, toMs: missedMs, count };
  return { runSlotMs, skipped, nextSlotMs };
}

const isPlain = ({ cron, activeHours, debounceMs, pausedUntilMs }: Calendar, fromMs: EpochMs): boolean =>
  cron === null && activeHours.length === 0 && debounceMs === 0 && (pausedUntilMs === null || pausedUntilMs < fromMs);
