/** Epoch ms of an RFC 3339 date-time, cut to the millisecond; NaN when the text is not one. A leap second is the second after. */
export function parseTimestamp(text: string): number {
  if (text.length < 20 || text.length > 40) return NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 2);
  const day = digits(text, 8, 2);
  const hour = digits(text, 11, 2);
  const minute = digits(text, 14, 2);
  const second = digits(text, 17, 2);
  const whole = year + month + day + hour + minute + second;
  if (whole !== whole) return NaN;
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return NaN;
  const separator = text.charCodeAt(10) | 32;
  if (separator !== 116 && separator !== 32) return NaN;
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month) || hour > 23 || minute > 59 || second > 60) return NaN;

  let at = 19;
  let millis = 0;
  if (text[at] === '.') {
    let unit = 100;
    const start = ++at;
    for (let digit = digits(text, at, 1); digit === digit; digit = digits(text, ++at, 1)) {
      millis += digit * unit;
      unit = unit === 100 ? 10 : unit === 10 ? 1 : 0;
    }
    if (at === start) return NaN;
  }
  const offset = offsetMinutes(text, at);
  return Date.UTC(year, month - 1, day, hour, minute, second) + millis - offset * 60_000;
}

function offsetMinutes(text: string, at: number): number {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : NaN;
  if ((sign !== '+' && sign !== '-') || text[at + 3] !== ':' || text.length !== at + 6) return NaN;
  const hours = digits(text, at + 1, 2);
  const minutes = digits(text, at + 4, 2);
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return sign === '-' ? -(hours * 60 + minutes) : hours * 60 + minutes;
}

function digits(text: string, at: number, count: number): number {
  let value = 0;
  for (let i = at; i < at + count; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
