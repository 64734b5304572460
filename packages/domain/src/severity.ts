/** Mildest first: the PagerDuty scale. */
export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

export const isWorse = (a: Severity, b: Severity): boolean => SEVERITIES.indexOf(a) > SEVERITIES.indexOf(b);
export const isAtLeast = (a: Severity, b: Severity): boolean => !isWorse(b, a);
