import type { RuleStanding } from './rule-spec.ts';
import type { SeriesState } from './series-state.ts';

/** Whether a rule stands so, by the states of its series. A rule without any is `ok`. */
export function standsSo(states: Iterable<SeriesState>, is: RuleStanding): boolean {
  let [isFiring, isPending, lacksData] = [false, false, false];
  for (const { phase, health } of states) {
    isFiring ||= phase === 'firing' || phase === 'recovering';
    isPending ||= phase === 'pending';
    lacksData ||= health === 'no_data';
  }
  switch (is) {
    case 'firing':
      return isFiring;
    case 'pending':
      return isPending;
    case 'no_data':
      return lacksData;
    case 'ok':
      return !isFiring && !isPending;
  }
}

interface Referring {
  key: string;
  /** Keys of other rules. */
  references: readonly string[];
}

/** The rules in an order in which each comes after those it refers to. Of a cycle, which is refused where rules are saved, each comes somewhere. */
export function referencesFirst<Rule extends Referring>(rules: readonly Rule[]): Rule[] {
  const byKey = new Map(rules.map((rule) => [rule.key, rule]));
  const placed = new Set<Rule>();
  const place = (rule: Rule, above: ReadonlySet<string>): void => {
    if (placed.has(rule) || above.has(rule.key)) return;
    const inside = new Set(above).add(rule.key);
    for (const key of rule.references) {
      const referred = byKey.get(key);
      if (referred !== undefined) place(referred, inside);
    }
    placed.add(rule);
  };
  for (const rule of rules) place(rule, new Set());
  return [...placed];
}

/** The way from a rule back to itself, as keys; null: there is none. */
export function cycleFrom(rule: Referring, others: readonly Referring[]): string[] | null {
  const byKey = new Map(others.map((other) => [other.key, other]));
  byKey.set(rule.key, rule);
  const seen = new Set<string>();
  const walk = (key: string, way: readonly string[]): string[] | null => {
    for (const next of byKey.get(key)?.references ?? []) {
      if (next === rule.key) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const found = walk(next, [...way, next]);
      if (found !== null) return found;
    }
    return null;
  };
  return walk(rule.key, [rule.key]);
}
