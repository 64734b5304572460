const UNITS = [
  ['d', 86_400],
  ['h', 3_600],
  ['m', 60],
  ['s', 1],
] as const;

/** A length of time as people say it, two units at most: `45s`, `11m`, `2h 5m`, `3d 4h`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1_000));
  const first = UNITS.findIndex(([, size]) => seconds >= size);
  if (first === -1) return '0s';
  let left = seconds;
  const parts = UNITS.slice(first, first + 2).map(([unit, size]) => {
    const count = Math.floor(left / size);
    left -= count * size;
    return count === 0 ? '' : `${count}${unit}`;
  });
  return parts.filter((part) => part !== '').join(' ');
}

/** `2026-03-01 12:00:00 UTC` of an RFC 3339 instant in UTC. */
export const timeText = (rfc3339: string): string => `${rfc3339.slice(0, 19).replace('T', ' ')} UTC`;
