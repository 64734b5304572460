import { isMetricName } from './catalogue.ts';

/** The keys of the saved metrics that a condition looks at, each once. Takes any value: stored ones too, of whatever version. */
export function savedMetricsIn(condition: unknown): string[] {
  const keys = new Set<string>();
  const look = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [name, field] of Object.entries(value)) {
      if (name === 'metric' && typeof field === 'string' && !isMetricName(field)) keys.add(field);
      // Its names are those of dims and measures.
      if (name !== 'where') look(field);
    }
  };
  look(condition);
  return [...keys];
}
