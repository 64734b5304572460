import type { ProblemIssue } from '@tocsin/contracts';
import { CannotStart } from '@tocsin/runtime';
import { AppError } from '../app-error.ts';
import type { YamlText } from './read-yaml.ts';

/** Gathers what is wrong with a file, so that all of it is told at once, each place by its line and pointer. */
export class FileFaults {
  readonly #file: string;
  readonly #lineOf: YamlText['lineOf'];
  readonly #issues: ProblemIssue[] = [];

  constructor(file: string, { lineOf }: YamlText) {
    this.#file = file;
    this.#lineOf = lineOf;
  }

  add(pointer: string, code: string, message: string): null {
    this.#issues.push({ pointer, code, message });
    return null;
  }

  /** What `work` answers; null where it refuses, which is kept. `at` is where in the file its input sits. */
  attempt<Value>(at: string, work: () => Value): Value | null {
    try {
      return work();
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      for (const { pointer, code, message } of error.issues) this.add(`${at}${pointer}`, code, message);
      return null;
    }
  }

  /** Throws CannotStart when anything is wrong. */
  throwIfAny(): void {
    if (this.#issues.length === 0) return;
    throw new CannotStart(
      this.#issues
        .map(({ pointer, message }) => `${this.#file}, line ${this.#lineOf(pointer)}${pointer === '' ? '' : `, ${pointer}`}: ${message}`)
        .join('\n'),
    );
  }
}
