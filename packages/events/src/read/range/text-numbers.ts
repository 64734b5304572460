/** Numbers texts as they are met, so that those of different segments can be compared as numbers. */
export class TextNumbers {
  private readonly numbers = new Map<string, number>();
  private readonly known = new WeakMap<readonly string[], Float64Array>();

  get size(): number {
    return this.numbers.size;
  }

  /** Replaces codes, 1 for the first of a segment's `texts`, by numbers. */
  number(codes: Float64Array, count: number, texts: readonly string[]): void {
    let numbers = this.known.get(texts);
    if (numbers === undefined) {
      numbers = Float64Array.from(texts, (text) => this.numberOf(text));
      this.known.set(texts, numbers);
    }
    for (let i = 0; i < count; i++) codes[i] = numbers[codes[i]! - 1]!;
  }

  private numberOf(text: string): number {
    let number = this.numbers.get(text);
    if (number === undefined) {
      number = this.numbers.size;
      this.numbers.set(text, number);
    }
    return number;
  }
}
