import { z } from 'zod';
import { SEVERITIES } from './severity.ts';

const Duration = z.string().meta({ examples: ['30s', '5m', '2h', '7d'] });

export const SEASONS = ['hourOfDay', 'hourOfWeek', 'none'] as const;
/** Which hours of the past an hour is compared with. Hours are those of UTC. */
export type Season = (typeof SEASONS)[number];

export const STATISTICS = ['median', 'avg'] as const;
export type Statistic = (typeof STATISTICS)[number];

export const DIRECTIONS = ['above', 'below', 'both'] as const;
export type Direction = (typeof DIRECTIONS)[number];

export const METHODS = ['robust', 'seasonal'] as const;
export type AnomalyMethod = (typeof METHODS)[number];

export const VERSUS = ['previous', '1h', '1d', '7d'] as const;
export type Versus = (typeof VERSUS)[number];

/** `multiplier` times what the same hours of the past were worth; `recover` is a multiplier too. */
const BaselineSpec = z.strictObject({
  multiplier: z.number(),
  lookback: Duration,
  floor: z.number().optional(),
  season: z.enum(SEASONS),
  statistic: z.enum(STATISTICS),
  recover: z.number().optional(),
});

/** `percent` more or less than an earlier window of the same length; `recover` is a percentage too. */
const ChangeSpec = z.strictObject({
  percent: z.number(),
  versus: z.enum(VERSUS),
  floor: z.number().optional(),
  recover: z.number().optional(),
});

/** `score` times the usual spread away from what is usual at that hour; `recover` is a score too. */
const AnomalySpec = z.strictObject({
  score: z.number(),
  lookback: Duration,
  direction: z.enum(DIRECTIONS),
  method: z.enum(METHODS),
  floor: z.number().optional(),
  recover: z.number().optional(),
});

/** What the trend of `lookback` will cross within a time. */
const ForecastSpec = z.strictObject({ crosses: z.number(), within: Duration, lookback: Duration });

/** Percentages of an amount, the last of which is what must not be spent. */
export const BudgetSpec = z.strictObject({ amount: z.number(), steps: z.array(z.number()) });
export type BudgetSpec = z.infer<typeof BudgetSpec>;

/** What a value is compared with: a number, or something that moves. */
export const LimitSpec = z.union([
  z.number(),
  z.strictObject({ baseline: BaselineSpec }),
  z.strictObject({ change: ChangeSpec }),
  z.strictObject({ anomaly: AnomalySpec }),
  z.strictObject({ forecast: ForecastSpec }),
]);
export type LimitSpec = z.infer<typeof LimitSpec>;

/** One limit a severity. */
export const LevelsSpec = z.partialRecord(z.enum(SEVERITIES), LimitSpec);
export type LevelsSpec = z.infer<typeof LevelsSpec>;

export const ThresholdSpec = z.union([LimitSpec, z.strictObject({ budget: BudgetSpec }), LevelsSpec]);
export type ThresholdSpec = z.infer<typeof ThresholdSpec>;

export const RecoverSpec = z.union([z.number(), z.partialRecord(z.enum(SEVERITIES), z.number())]);
export type RecoverSpec = z.infer<typeof RecoverSpec>;

export const isLevels = (threshold: ThresholdSpec): threshold is LevelsSpec =>
  typeof threshold === 'object' && SEVERITIES.some((severity) => Object.hasOwn(threshold, severity));

export const isBudget = (threshold: ThresholdSpec): threshold is { budget: BudgetSpec } =>
  typeof threshold === 'object' && Object.hasOwn(threshold, 'budget');
