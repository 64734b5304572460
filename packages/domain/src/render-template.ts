/** What a template may name; nested objects are reached by dots: `series.operation`. */
export interface TemplateValues {
  readonly [name: string]: string | number | boolean | null | undefined | TemplateValues;
}

const MAX_OUTPUT = 4_096;
const PLACEHOLDER = /\{\{\s*([A-Za-z_][\w-]*(?:\.[\w-]+)*)\s*\}\}/g;

/**
 * Fills `{{ name }}` and `{{ series.operation }}`. There is no logic and nothing is evaluated: a name that is not known, or that does
 * not lead to a text or number, stays as it was written, and what is filled in is never read again. At most 4 KiB of UTF-8 come out;
 * longer text ends in `…`.
 */
export function renderTemplate(text: string, values: TemplateValues): string {
  const filled = text.replace(PLACEHOLDER, (written, path: string) => lookUp(path, values) ?? written);
  return withinBytes(filled, MAX_OUTPUT);
}

function lookUp(path: string, values: TemplateValues): string | null {
  let value: TemplateValues[string] = values;
  for (const name of path.split('.')) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return null;
    value = value[name];
  }
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? String(value) : null;
}

const ELLIPSIS_BYTES = 3;

function withinBytes(text: string, max: number): string {
  if (text.length * 3 <= max) return text;
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    const size = utf8Size(character.codePointAt(0) ?? 0);
    if (bytes + size > max) return `${text.slice(0, end)}…`;
    bytes += size;
    if (bytes <= max - ELLIPSIS_BYTES) end += character.length;
  }
  return text;
}

function utf8Size(codePoint: number): number {
  if (codePoint < 0x80) return 1;
  if (codePoint < 0x800) return 2;
  return codePoint < 0x10000 ? 3 : 4;
}
