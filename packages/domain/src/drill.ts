import { parseRule } from './parse-rule.ts';
import type { RuleSpec } from './rule-spec.ts';
import type { Severity } from './severity.ts';

/** Keys of rules of fire drills begin with it; no rule of people's can. */
export const DRILL_PREFIX = 'drill:';
/** The event of a drill; programs cannot send one. Its dimension `drill` is the drill's id. */
export const DRILL_EVENT = 'tocsin.drill';

/** The rule of a drill: it breaches at the one event that is made for it. It makes no slots of its own, and is evaluated when it is asked for. */
export function drillRule(id: string, severity: Severity, channels: readonly string[]): RuleSpec {
  const parsed = parseRule({
    key: 'drill',
    name: 'Fire drill',
    severity,
    condition: { measure: 'value', name: DRILL_EVENT, aggregation: 'sum', where: { drill: id }, window: '5m', operator: '>', threshold: 0 },
    every: '24h',
    evaluationDelay: '0s',
    notify: [...channels],
    annotations: { summary: 'This is a fire drill: nothing is wrong. It shows that alerts arrive here.' },
  });
  if (!parsed.ok) throw new Error(`the rule of a drill is none: ${JSON.stringify(parsed.issues)}`);
  return { ...parsed.spec, key: `${DRILL_PREFIX}${id}` };
}
