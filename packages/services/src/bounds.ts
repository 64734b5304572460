import { RULE_BOUNDS, type RuleBounds } from '@tocsin/domain';
import { durationVariable, numberVariable } from '@tocsin/pipeline';

/** What people may ask for at most. */
export interface ServiceBounds {
  rulesPerTenant: number;
  rule: RuleBounds;
}

const SERVICE_BOUNDS: ServiceBounds = { rulesPerTenant: 10_000, rule: RULE_BOUNDS };

export const boundsOf = ({ serviceBounds: bounds = SERVICE_BOUNDS }: { serviceBounds?: ServiceBounds }): ServiceBounds => bounds;

/** The variables that set them. */
export const serviceVariables = {
  rulesPerTenant: numberVariable(1, 100_000, SERVICE_BOUNDS.rulesPerTenant),
  comparisonsPerRule: numberVariable(1, 256, RULE_BOUNDS.comparisons),
  // JSON is read 32 levels deep, and every level of a condition is two of those.
  conditionDepth: numberVariable(1, 14, RULE_BOUNDS.depth),
  longestWindow: durationVariable('10s', '400d', RULE_BOUNDS.maxWindowMs),
  shortestEvery: durationVariable('10s', '1h', RULE_BOUNDS.minEveryMs),
};

/** Of `serviceVariables`. */
export type ServiceConfig = Record<keyof typeof serviceVariables, number>;

export const serviceBounds = (config: ServiceConfig): ServiceBounds => ({
  rulesPerTenant: config.rulesPerTenant,
  rule: {
    comparisons: config.comparisonsPerRule,
    depth: config.conditionDepth,
    maxWindowMs: config.longestWindow,
    minEveryMs: config.shortestEvery,
  },
});
