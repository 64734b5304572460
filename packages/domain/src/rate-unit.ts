export interface RateUnit {
  perMs: number;
  words: string;
}

export const PER_MINUTE: RateUnit = { perMs: 60_000, words: 'per minute' };

/** The units that say what a rate is per; without one it is per minute. */
export const RATE_UNITS: ReadonlyMap<string, RateUnit> = new Map([
  ['perSecond', { perMs: 1_000, words: 'per second' }],
  ['perMinute', PER_MINUTE],
  ['perHour', { perMs: 3_600_000, words: 'per hour' }],
]);

/** Null: the unit says nothing of a rate. */
export const rateUnit = (unit: string | undefined): RateUnit | null => (unit === undefined ? null : (RATE_UNITS.get(unit) ?? null));
