import { z } from 'zod';
import { hasControlCharacters } from './control-characters.ts';
import { faultOfPattern, matchesPattern } from './pattern.ts';
import type { Labels } from './reading.ts';
import { RULE_BOUNDS } from './rule-bounds.ts';
import type { Severity } from './severity.ts';

export const MATCHERS_MAX = 16;

const Label = z
  .string()
  .trim()
  .min(1)
  .max(RULE_BOUNDS.fieldLength)
  .refine((text) => !hasControlCharacters(text), 'must not contain control characters');
const Value = z.string().max(RULE_BOUNDS.valueLength);
const Pattern = Value.min(1).superRefine((text, context) => {
  const fault = faultOfPattern(text);
  if (fault !== null) context.addIssue({ code: 'custom', params: { code: 'bad_pattern' }, message: `is no RE2 pattern: ${fault}` });
});

/** What one label of an alert must be. A label that an alert does not have is empty. `~` is an RE2 pattern for the whole value. */
export const Matcher = z.discriminatedUnion('op', [
  z.strictObject({ label: Label, op: z.literal(['=', '!=']), value: Value }),
  z.strictObject({ label: Label, op: z.literal('in'), value: z.array(Value).min(1).max(RULE_BOUNDS.listValues) }),
  z.strictObject({ label: Label, op: z.literal('prefix'), value: Value.min(1) }),
  z.strictObject({ label: Label, op: z.literal('~'), value: Pattern }),
]);
export type Matcher = z.infer<typeof Matcher>;

/** All must hold. */
export const Matchers = z.array(Matcher).max(MATCHERS_MAX);

/** What matchers look at: an alert's own labels, and these, which win where an alert has a label of the same name. */
export interface MatchedAlert {
  labels: Labels;
  /** Of the rule: label `rule`. */
  ruleKey: string;
  severity: Severity;
  alertType: string;
}

/** Whether all matchers hold; none at all always do. */
export function matches(matchers: readonly Matcher[], alert: MatchedAlert): boolean {
  return matchers.every((matcher) => holds(matcher, labelOf(alert, matcher.label)));
}

/** The value of a label as matchers see it; empty where there is none. */
export function labelOf({ labels, ruleKey, severity, alertType }: MatchedAlert, label: string): string {
  switch (label) {
    case 'rule':
      return ruleKey;
    case 'severity':
      return severity;
    case 'alertType':
      return alertType;
    default:
      return Object.hasOwn(labels, label) ? (labels[label] ?? '') : '';
  }
}

function holds(matcher: Matcher, value: string): boolean {
  switch (matcher.op) {
    case '=':
      return value === matcher.value;
    case '!=':
      return value !== matcher.value;
    case 'in':
      return matcher.value.includes(value);
    case 'prefix':
      return value.startsWith(matcher.value);
    case '~':
      return matchesPattern(matcher.value, value);
  }
}

/** The values that labels must have for the matchers to hold, as far as these name them: what a database can look for before the rest is judged. */
export function valuesWanted(matchers: readonly Matcher[]): Record<string, string[]> {
  const wanted: Record<string, string[]> = {};
  for (const { label, op, value } of matchers) {
    if (op !== '=' && op !== 'in') continue;
    const values = typeof value === 'string' ? [value] : value;
    const before = Object.hasOwn(wanted, label) ? wanted[label] : undefined;
    wanted[label] = before === undefined ? values : before.filter((each) => values.includes(each));
  }
  return wanted;
}
