import { truncate } from './cut.ts';
import { type Fact, headline, type Message, ruleLine, saidBeside, seriesLine } from './message.ts';

const PART_MAX = 2_000;

/** The whole message as plain text: what rich media fall back to. Unescaped. */
export const plainText = (message: Message): string =>
  `${truncate(`${message.icon} ${headline(message)}`, PART_MAX)}\n${truncate(message.sentence, PART_MAX)}\n\n${plainDetails(message)}`;

/** What comes below the headline and the sentence, in paragraphs. */
export function plainDetails(message: Message): string {
  const paragraphs = [
    saidBeside(message),
    factsWithSeries(message).map(({ name, text }) => `${name}: ${text}`),
    message.links.map(({ face, url }) => `${face}: ${url}`),
    [ruleLine(message)],
  ];
  return paragraphs
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.map((line) => truncate(line, PART_MAX)).join('\n'))
    .join('\n\n');
}

/** The facts with the series before them. */
export function factsWithSeries(message: Message): Fact[] {
  const series = seriesLine(message);
  return series === null ? message.facts : [{ name: 'Series', text: series }, ...message.facts];
}
