import { readFileSync } from 'node:fs';

export interface DocumentedVariable {
  name: string;
  /** Processes that do not start without it. */
  neededBy: readonly string[];
  /** Processes that can do without. */
  alsoReadBy: readonly string[];
}

const PAGE = new URL('../../docs/operating.md', import.meta.url);
const ROW = /^\| `(TOCSIN_\w+)` \|([^|]*)\|([^|]*)\|/gm;

/** The table of docs/operating.md: which process reads what. */
export function documentedVariables(): DocumentedVariable[] {
  return [...readFileSync(PAGE, 'utf8').matchAll(ROW)].map(([, name = '', neededBy = '', alsoReadBy = '']) => ({
    name,
    neededBy: words(neededBy),
    alsoReadBy: words(alsoReadBy),
  }));
}

const words = (cell: string): string[] => cell.split(' ').filter((word) => word !== '');
