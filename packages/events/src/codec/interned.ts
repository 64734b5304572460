/** Texts of a column, sorted. Code 0 is "absent", `texts[code − 1]` the text of any other. */
export interface TextSet {
  texts: readonly string[];
  codeByText: ReadonlyMap<string, number>;
}

/** The columns of a segment. The maps give a column's place among the dims or among the measures. */
export interface Schema {
  dims: readonly string[];
  measures: readonly string[];
  dimPlace: ReadonlyMap<string, number>;
  measurePlace: ReadonlyMap<string, number>;
}

/** A tenant's segments repeat the same few sets of texts, so small ones are parsed once and shared. Starts over when it is full. */
class Interned<T> {
  private known = new Map<string, T>();

  get(bytes: Buffer, from: number, to: number, salt: string, parse: (texts: string[]) => T): T {
    if (to - from > 1024) return parse(parseTexts(bytes, from, to));
    const key = salt + bytes.toString('latin1', from, to);
    const known = this.known.get(key);
    if (known !== undefined) return known;
    if (this.known.size >= 20_000) this.known = new Map();
    const parsed = parse(parseTexts(bytes, from, to));
    this.known.set(key, parsed);
    return parsed;
  }
}

const textSets = new Interned<TextSet>();
const schemas = new Interned<Schema>();

export function textSet(bytes: Buffer, from: number, to: number): TextSet {
  return textSets.get(bytes, from, to, '', (texts) => ({ texts, codeByText: new Map(texts.map((text, index) => [text, index + 1])) }));
}

export function schema(bytes: Buffer, from: number, to: number, dimCount: number): Schema {
  return schemas.get(bytes, from, to, `${dimCount}:`, (texts) => {
    const dims = texts.slice(0, dimCount);
    const measures = texts.slice(dimCount);
    return { dims, measures, dimPlace: placeByName(dims), measurePlace: placeByName(measures) };
  });
}

function placeByName(names: readonly string[]): Map<string, number> {
  return new Map(names.map((name, place) => [name, place]));
}

function parseTexts(bytes: Buffer, from: number, to: number): string[] {
  const texts: string[] = [];
  for (let at = from; at < to;) {
    let length = 0;
    for (let unit = 1; ; unit *= 128) {
      const byte = bytes[at++]!;
      length += (byte & 127) * unit;
      if (byte < 128) break;
    }
    texts.push(bytes.toString('utf8', at, at + length));
    at += length;
  }
  return texts;
}
