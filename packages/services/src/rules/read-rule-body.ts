import { parseRule, type RuleBounds, type RuleSpec } from '@tocsin/domain';
import { invalid } from '../app-error.ts';
import { pointerOf } from '../parse.ts';
import { type KnownMetrics, parseKnowing } from '../metrics/known-metrics.ts';

type Fields = Record<string, unknown>;

interface RuleBody {
  spec: RuleSpec;
  /** Undefined: not said. */
  enabled: boolean | undefined;
}

/** A rule as written, `enabled` beside it. `within` is where in the body it sits. Throws a 422 that names every fault. */
export async function readRuleBody(
  body: unknown,
  bounds: RuleBounds,
  known: KnownMetrics,
  within: readonly string[] = [],
): Promise<RuleBody> {
  const { enabled, rest } = takeEnabled(body, within);
  const parsed = await parseKnowing(known, (saved) => parseRule(rest, bounds, saved));
  if (!parsed.ok) throw invalid(parsed.issues.map((issue) => ({ ...issue, pointer: `${pointerOf(within)}${issue.pointer}` })));
  return { spec: parsed.spec, enabled };
}

/** The same of a rule that looks at no metric of the tenant's own, such as those that are shipped. */
export function readShippedRule(body: unknown, bounds: RuleBounds): RuleBody {
  const { enabled, rest } = takeEnabled(body, []);
  const parsed = parseRule(rest, bounds);
  if (!parsed.ok) throw invalid(parsed.issues);
  return { spec: parsed.spec, enabled };
}

/** A stored rule, whatever its words are, with some fields replaced; a field that is null goes back to its default. */
export async function readRulePatch(
  stored: unknown,
  body: unknown,
  bounds: RuleBounds,
  known: KnownMetrics,
  within: readonly string[] = [],
): Promise<RuleBody> {
  if (!isFields(body)) return readRuleBody(body, bounds, known, within);
  const merged = Object.entries({ ...fieldsOf(stored), ...body }).filter(([, value]) => value !== null);
  return readRuleBody(Object.fromEntries(merged), bounds, known, within);
}

function takeEnabled(body: unknown, within: readonly string[]): { enabled: boolean | undefined; rest: unknown } {
  if (!isFields(body) || !Object.hasOwn(body, 'enabled')) return { enabled: undefined, rest: body };
  const { enabled, ...rest } = body;
  if (typeof enabled === 'boolean') return { enabled, rest };
  throw invalid([{ pointer: `${pointerOf(within)}/enabled`, code: 'invalid_type', message: 'must be true or false' }]);
}

/** What of a stored rule can be looked at by name. */
export const fieldsOf = (stored: unknown): Fields => (isFields(stored) ? stored : {});

const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value);
