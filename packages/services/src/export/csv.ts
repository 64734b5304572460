/** Null is an empty cell. */
export type Cell = string | number | boolean | null;
export type Column<Item> = readonly [header: string, cell: (item: Item) => Cell];

/**
 * Text that a spreadsheet would take for a formula, its wide forms included. What OWASP names for CSV injection, and the line feed beside the
 * carriage return: https://owasp.org/www-community/attacks/CSV_Injection
 */
const FORMULA = /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/;

/**
 * A record of RFC 4180, its line end included. Text that would begin a formula has an apostrophe before it, which spreadsheets show as text; a number
 * is a number, whatever its sign.
 */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`;

function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell !== 'string') return String(cell);
  const safe = FORMULA.test(cell) ? `'${cell}` : cell;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
