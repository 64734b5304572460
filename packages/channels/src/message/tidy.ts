/**
 * Control characters, those that turn the direction of text around (a label could show as another), and those that are not seen at all.
 * https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing
 */
// oxlint-disable-next-line no-control-regex -- what is taken out
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u2028-\u202e\u2060\u2066-\u2069\ufeff]/g;
/** Beyond what any medium shows of one text, so that an endless one costs no more than that. */
const TEXT_MAX = 4_000;

/** Foreign text as one line, of which the first 4,000 characters count. */
export const oneLine = (text: string): string => severalLines(text).replace(/\s+/g, ' ').trim();

/** Foreign text with its line breaks, of which two in a row at most stay. */
export const severalLines = (text: string): string =>
  text
    .slice(0, TEXT_MAX)
    .replace(/\r\n?/g, '\n')
    .replace(UNSEEN, '')
    .toWellFormed()
    .replace(/\n{3,}/g, '\n\n')
    .trim();

/** `Critical`. */
export const capital = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);
