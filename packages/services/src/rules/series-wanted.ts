import { seriesKey, type Labels } from '@tocsin/domain';
import { invalid } from '../app-error.ts';

/** Which series a query means: all; one, by its labels as JSON; or those with some labels, as `model=a,env=prod`. Throws a 422. */
export function seriesWanted(text: string | undefined): (labels: Labels) => boolean {
  if (text === undefined) return () => true;
  if (text.startsWith('{')) {
    const key = seriesKey(labelsOfJson(text));
    return (labels) => seriesKey(labels) === key;
  }
  const wanted = text.split(',').map((pair): [string, string] => {
    const at = pair.indexOf('=');
    if (at < 1) throw notLabels();
    return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
  });
  return (labels) => wanted.every(([name, value]) => labels[name] === value);
}

function labelsOfJson(text: string): Labels {
  try {
    const labels: unknown = JSON.parse(text);
    if (typeof labels === 'object' && labels !== null && Object.values(labels).every((value) => typeof value === 'string'))
      return labels as Labels;
  } catch {
    throw notLabels();
  }
  throw notLabels();
}

const notLabels = (): Error =>
  invalid([{ pointer: '?series', code: 'invalid_value', message: 'must be labels: {"model":"a"}, or model=a,env=prod' }]);
