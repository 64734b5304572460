import type { RuleCost } from '@tocsin/contracts';
import type { RuleCostRow } from '@tocsin/db';
import { timeText } from '../time-text.ts';

export const viewCost = ({ ms, lastMs, segments, events, series, measuredAtMs }: RuleCostRow): RuleCost => ({
  ms: rounded(ms, 3),
  lastMs: rounded(lastMs, 3),
  segments: rounded(segments, 1),
  events: rounded(events, 1),
  series: rounded(series, 1),
  at: timeText(measuredAtMs),
});

const rounded = (value: number, digits: number): number => Number(value.toFixed(digits));
