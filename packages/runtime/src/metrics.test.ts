import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createMetrics, exposeQueueDepth } from './metrics.ts';

const PAGE = new URL('../../../docs/operating.md', import.meta.url);

test('docs/operating.md lists exactly the metrics there are, with their labels', async () => {
  const metrics = createMetrics('test');
  exposeQueueDepth(metrics, async () => ({}));
  const instruments = metrics.registry.getMetricsAsArray().filter(({ name }) => name.startsWith('tocsin_'));
  const known = instruments.map(({ name, ...rest }) => `${name}(${'labelNames' in rest ? String(rest.labelNames) : ''})`);

  const [table = ''] = /^\| Metric \|.*?\n\n/ms.exec(readFileSync(PAGE, 'utf8')) ?? [];
  const rows = table.matchAll(/^\| `(tocsin_\w+)` \|([^|]*)\|/gm);
  const documented = [...rows].map(([, name = '', labels = '']) => `${name}(${labelsOf(labels)})`);
  expect(documented.toSorted()).toEqual(known.toSorted());
});

/** `queue, state: waiting, active` are two labels, the second with its values. */
const labelsOf = (cell: string): string =>
  cell
    .replace(/:.*/, '')
    .split(',')
    .map((label) => label.trim())
    .join(',');
