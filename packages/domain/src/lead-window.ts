import type { Comparison } from './compiled-rule.ts';

/** Which of the rule's windows a comparison's value and samples are of: of a ratio, its denominator's. Null: it looks at no window. */
export function leadWindow({ value }: Pick<Comparison, 'value'>): number | null {
  switch (value.kind) {
    case 'query':
    case 'absence':
    case 'anomaly_severity':
      return value.window;
    case 'ratio':
      return value.denominator;
    case 'rule':
      return null;
  }
}
