/** Cuts to `max` UTF-16 units with an ellipsis, never within a character. */
export function truncate(text: string, max: number): string {
  if (text.length <= max) return text;
  if (max <= 0) return '';
  return `${whole(text.slice(0, max - 1))}…`;
}

/** Cuts to `max` bytes of UTF-8 with an ellipsis, never within a character. */
export function truncateBytes(text: string, max: number): string {
  const bytes = new TextEncoder().encode(text);
  if (bytes.length <= max) return text;
  if (max < ELLIPSIS_BYTES) return '';
  let end = max - ELLIPSIS_BYTES;
  // a byte 10xxxxxx goes on what came before
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${new TextDecoder().decode(bytes.subarray(0, end))}…`;
}

/**
 * Escaped and cut so that the result fits `max`, never within a character or what one was escaped to.
 * @param escape of one text; must escape each character by itself
 */
export function escapedWithin(text: string, max: number, escape: (text: string) => string): string {
  // escaping lengthens, so nothing beyond `max` characters can fit
  const start = text.length > max ? whole(text.slice(0, max)) : text;
  const all = escape(start);
  if (start === text && all.length <= max) return all;
  if (max <= 0) return '';
  // the longest start whose escaped form leaves room for the ellipsis
  let [fits, tooLong] = [0, start.length + 1];
  while (tooLong - fits > 1) {
    const middle = (fits + tooLong) >> 1;
    if (escape(whole(start.slice(0, middle))).length < max) fits = middle;
    else tooLong = middle;
  }
  return `${escape(whole(start.slice(0, fits)))}…`;
}

const ELLIPSIS_BYTES = 3;

/** Without the half of a character at the end. */
const whole = (text: string): string => (/[\ud800-\udbff]$/.test(text) ? text.slice(0, -1) : text);
