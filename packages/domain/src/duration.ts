const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 } as const;
type Unit = keyof typeof UNIT_MS;

// Written in full so that `5m2h` and `1h 30m` stay errors: largest unit first, no spaces.
const DURATION = /^(?:(\d{1,6})w)?(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,8})m)?(?:(\d{1,10})s)?$/;

/** `30s`, `5m`, `1h30m`, `7d` in milliseconds; null for anything else, the empty text and fractions included. */
export function parseDuration(text: string): number | null {
  const match = text === '' ? null : DURATION.exec(text);
  if (match === null) return null;
  const units: readonly Unit[] = ['w', 'd', 'h', 'm', 's'];
  return units.reduce((total, unit, index) => total + Number(match[index + 1] ?? 0) * UNIT_MS[unit], 0);
}

/** For a duration that was checked before. Throws on what `parseDuration` does not take. */
export function durationMs(text: string): number {
  const ms = parseDuration(text);
  if (ms === null) throw new Error(`not a duration: ${text}`);
  return ms;
}

/** The largest single unit that says it exactly: `90m`, `2h`, `7d`, `0s`. Rounds to whole seconds. */
export function formatDuration(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  const unit = (['d', 'h', 'm'] as const).find((candidate) => seconds !== 0 && seconds % (UNIT_MS[candidate] / 1_000) === 0) ?? 's';
  return `${(seconds * 1_000) / UNIT_MS[unit]}${unit}`;
}
