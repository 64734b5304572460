import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { latestSlotIn, nextSlot, phaseOf, planClaim } from './slots.ts';

const DAY_MS = 86_400_000;
const NOON = 1_772_366_400_000;

const everyMs = fc.integer({ min: 10, max: 86_400 }).map((seconds) => seconds * 1_000);
const phaseMs = fc.uuid().map(phaseOf);
const instantMs = fc.integer({ min: NOON - 10 * DAY_MS, max: NOON + 10 * DAY_MS });
const isSlot = (ms: number, every: number, phase: number): boolean => (ms - phase) % every === 0;

describe('phases', () => {
  test('are whole seconds within a day, and a tenant keeps its own', () => {
    fc.assert(
      fc.property(fc.uuid(), (id) => {
        const phase = phaseOf(id);
        expect(phase % 1_000).toBe(0);
        expect(phase).toBeGreaterThanOrEqual(0);
        expect(phase).toBeLessThan(DAY_MS);
        expect(phaseOf(id)).toBe(phase);
      }),
    );
  });

  test('spread a thousand tenants over every second of a minute', () => {
    const counts = new Map<number, number>();
    for (let index = 0; index < 1_000; index++) {
      const second = (phaseOf(`0199-tenant-${index}`) / 1_000) % 60;
      counts.set(second, (counts.get(second) ?? 0) + 1);
    }
    expect(counts.size).toBe(60);
    expect(Math.max(...counts.values())).toBeLessThan(40);
  });
});

describe('slots', () => {
  test('the next slot is on the grid, after the instant and no further than one step', () => {
    fc.assert(
      fc.property(instantMs, everyMs, phaseMs, (after, every, phase) => {
        const next = nextSlot(after, every, phase);
        expect(isSlot(next, every, phase)).toBe(true);
        expect(next).toBeGreaterThan(after);
        expect(next - after).toBeLessThanOrEqual(every);
      }),
    );
  });

  test('a slot belongs to exactly one of two spans that meet', () => {
    fc.assert(
      fc.property(instantMs, everyMs, phaseMs, fc.integer({ min: 1, max: DAY_MS }), (from, every, phase, length) => {
        const slot = nextSlot(from, every, phase);
        const inFirst = latestSlotIn(slot - length, slot, every, phase);
        const inSecond = latestSlotIn(slot, slot + every - 1, every, phase);
        expect(inFirst).toBe(slot);
        expect(inSecond).toBeNull();
      }),
    );
  });

  test('a rule slower than its tenant is due in one run of each of its own steps', () => {
    fc.assert(
      fc.property(phaseMs, fc.integer({ min: 1, max: 9 }), (phase, factor) => {
        const [fast, slow] = [10_000, 10_000 * factor];
        let due = 0;
        let at = nextSlot(NOON, slow, phase);
        for (let run = 0; run < factor * 3; run++, at += fast) if (latestSlotIn(at - fast, at, slow, phase) !== null) due++;
        expect(due).toBe(3);
      }),
    );
  });
});

describe('claiming', () => {
  test('on time runs the slot and skips none', () => {
    expect(planClaim({ nextSlotMs: NOON, nowMs: NOON + 40, everyMs: 60_000, phaseMs: 0 })).toEqual({
      runSlotMs: NOON,
      skipped: null,
      nextSlotMs: NOON + 60_000,
    });
  });

  test('after ten minutes away the newest slot runs and one record counts the others', () => {
    expect(planClaim({ nextSlotMs: NOON, nowMs: NOON + 600_000, everyMs: 60_000, phaseMs: 0 })).toEqual({
      runSlotMs: NOON + 600_000,
      skipped: { fromMs: NOON, toMs: NOON + 540_000, count: 10 },
      nextSlotMs: NOON + 660_000,
    });
  });

  test('a slot off the grid runs as it stands', () => {
    expect(planClaim({ nextSlotMs: NOON + 5_000, nowMs: NOON + 6_000, everyMs: 60_000, phaseMs: 0 })).toEqual({
      runSlotMs: NOON + 5_000,
      skipped: null,
      nextSlotMs: NOON + 60_000,
    });
  });

  test('accounts for every slot between the one that was next and the one that is, once', () => {
    fc.assert(
      fc.property(instantMs, everyMs, phaseMs, fc.integer({ min: 0, max: DAY_MS }), (from, every, phase, late) => {
        const first = nextSlot(from, every, phase);
        const plan = planClaim({ nextSlotMs: first, nowMs: first + late, everyMs: every, phaseMs: phase });
        const accounted = (plan.skipped?.count ?? 0) + 1;
        expect(first + accounted * every).toBe(plan.nextSlotMs);
        expect(plan.runSlotMs).toBe(plan.nextSlotMs - every);
        expect(plan.runSlotMs).toBeLessThanOrEqual(first + late);
        expect(plan.nextSlotMs).toBeGreaterThan(first + late);
        if (plan.skipped !== null) {
          expect(plan.skipped.fromMs).toBe(first);
          expect(plan.skipped.toMs).toBe(plan.runSlotMs - every);
        }
      }),
    );
  });
});
