import { type Complaints, readFields } from './complaints.ts';
import type { Path } from './issue.ts';
import { readList, readNumber } from './read-values.ts';
import type { ConditionSpec, RatioSpec } from './rule-spec.ts';

interface LeafPlace {
  path: Path;
  isNegated: boolean;
}

type ParseRatio = (input: object, place: LeafPlace, complaints: Complaints) => RatioSpec | null;

/**
 * `{burnRate: {objective: 99.9, factor: 14.4, windows: ['1h', '5m']}, numerator, denominator}`: so many times faster than would just use up what the
 * objective leaves, over a long window that says it matters and a short one that says it is still so (Google, “The Site Reliability Workbook”, 2018,
 * chapter 5). It is two ratios that must both hold, and is kept as those.
 */
export function parseBurnRate(input: object, place: LeafPlace, complaints: Complaints, parseRatio: ParseRatio): ConditionSpec | null {
  const { path } = place;
  const fields = readFields(input, path, ['burnRate', 'numerator', 'denominator', 'minSamples'], complaints);
  const burn =
    fields === null ? null : readFields(fields.get('burnRate'), [...path, 'burnRate'], ['objective', 'factor', 'windows'], complaints);
  if (fields === null || burn === null) return null;
  const at = (name: string) => [...path, 'burnRate', name];
  const objective = readNumber(burn.get('objective'), at('objective'), complaints);
  const factor = readNumber(burn.get('factor'), at('factor'), complaints);
  const windows = readList(burn.get('windows'), at('windows'), 2, complaints);
  if (objective === null || factor === null || windows === null) return null;
  if (objective <= 0 || objective >= 100)
    return complaints.add(at('objective'), 'out_of_range', 'must be a percentage between 0 and 100, such as 99.9');
  if (factor <= 0) return complaints.add(at('factor'), 'out_of_range', 'must be more than 0');
  if (windows.length !== 2)
    return complaints.add(at('windows'), 'invalid_value', "must be two: a long one and a short one, such as ['1h', '5m']");
  // Whole of a millionth of a percent: what floating point leaves behind is not part of an objective.
  const threshold = Math.round(factor * (100 - objective) * 1e6) / 1e6;
  if (threshold >= 100)
    return complaints.add(
      at('factor'),
      'out_of_range',
      `burns ${threshold} % of all events: no more than all can fail, so it would never hold`,
    );
  const ratios = windows.map((window, index) => {
    const { numerator, denominator, minSamples } = Object.fromEntries(fields);
    // The short window only asks whether it goes on.
    const samples = index === 0 && minSamples !== undefined ? { minSamples } : {};
    return parseRatio({ numerator, denominator, window, operator: '>', threshold, ...samples }, place, complaints);
  });
  return ratios.every((ratio) => ratio !== null) ? { all: ratios } : null;
}
