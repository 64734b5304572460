const grouped = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
// Below one, two decimals would round a cost of 0.004 away.
const small = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 3 });
const dollars = new Intl.NumberFormat('en-US', { style: 'currency', currency: 'USD' });

/** A number with its unit, as people read it: `2,480 ms`, `12.5 %`, `$4.20`, `120 per minute`. Null: `no data`. */
export function formatValue(value: number | null, unit: string | null): string {
  if (value === null || !Number.isFinite(value)) return 'no data';
  if (unit === 'USD' && (value === 0 || Math.abs(value) >= 0.01)) return dollars.format(value);
  // Adding 0 turns −0 into 0.
  const text = (Math.abs(value) < 1 ? small : grouped).format(value + 0);
  if (unit === null || unit === '') return text;
  return `${text} ${unit === 'percent' ? '%' : unit}`;
}
