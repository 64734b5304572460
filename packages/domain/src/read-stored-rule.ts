import { compileRule } from './compile-rule.ts';
import type { CompiledRule } from './compiled-rule.ts';
import { parseRule } from './parse-rule.ts';
import { RuleSpec } from './rule-spec.ts';
import { savedMetricsIn } from './saved-metrics-in.ts';

/** `fault` says what this version of the program does not understand. */
export type StoredRule = { ok: true; spec: RuleSpec; compiled: CompiledRule } | { ok: false; fault: string };

/**
 * A rule as it lies in storage, written by any version of the program. What is not understood whole is not understood: to evaluate a rule
 * without a field that another version put there would be to evaluate another rule. Never throws.
 */
export function readStoredRule(stored: unknown): StoredRule {
  try {
    const spec = RuleSpec.safeParse(stored);
    if (!spec.success) return { ok: false, fault: faultOf(stored) };
    return { ok: true, spec: spec.data, compiled: compileRule(spec.data) };
  } catch (error) {
    return { ok: false, fault: error instanceof Error ? error.message : 'unknown' };
  }
}

/** In the words of the parser, which names the place. That its saved metrics are there was seen to when it was saved. */
function faultOf(stored: unknown): string {
  const savedMetrics = new Map(savedMetricsIn(stored).map((key) => [key, { unit: null }]));
  const parsed = parseRule(stored, undefined, savedMetrics);
  const [issue] = parsed.ok ? [] : parsed.issues;
  return issue === undefined ? 'not in canonical words' : `${issue.pointer} ${issue.message}`.trim();
}
