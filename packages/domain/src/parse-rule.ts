import { Complaints, quoted, readEntries, readFields } from './complaints.ts';
import { severityFrom } from './dialects.ts';
import type { Issue, Path } from './issue.ts';
import { parseCondition } from './parse-condition.ts';
import { parseGroupBy } from './parse-query.ts';
import { exactly, readBoolean, readDuration, readKey, readLine, readList, readNumber, readValue, readWord } from './read-values.ts';
import { RULE_BOUNDS, type RuleBounds } from './rule-bounds.ts';
import { ruleKey } from './rule-key.ts';
import { leavesOf, RULE_DEFAULTS, type ConditionSpec, type LeafSpec, type RuleSpec } from './rule-spec.ts';
import type { SavedMetrics } from './saved-metric.ts';
import { SEVERITIES } from './severity.ts';
import { isBudget, isLevels } from './threshold-spec.ts';

/** `enabled` is kept beside the rule, not in it; null: nothing was said. */
export type ParsedRule = { ok: true; spec: RuleSpec; enabled: boolean | null } | { ok: false; issues: Issue[] };

const FIELDS = [
  'key',
  'name',
  'severity',
  'condition',
  'groupBy',
  'every',
  'evaluate',
  'for',
  'keepFiringFor',
  'cooldown',
  'evaluationDelay',
  'newSeriesGrace',
  'flapping',
  'maxOpenAlerts',
  'maxSeries',
  'mode',
  'noData',
  'onError',
  'notify',
  'remindEvery',
  'labels',
  'annotations',
  'enabled',
] as const;
type Field = (typeof FIELDS)[number];

const { maxEveryMs, maxHoldMs, maxEvaluationDelayMs, minRemindEveryMs } = RULE_BOUNDS;

/**
 * A rule as people write it, made canonical; or everything that is wrong with it. Takes any value, a stored spec too, which it leaves as it is.
 * Of the tenant's saved metrics it knows those that are given.
 */
export function parseRule(input: unknown, bounds?: RuleBounds, savedMetrics?: SavedMetrics): ParsedRule {
  const complaints = new Complaints(bounds, savedMetrics);
  const fields = readFields(input, [], FIELDS, complaints);
  if (fields === null) return { ok: false, issues: complaints.issues };

  /** The field as read, its default where it is absent, null where it was complained about. */
  const read = <Value, Default>(
    field: Field,
    otherwise: Default,
    reader: (value: unknown, path: Path) => Value | null,
  ): Value | Default | null => (fields.has(field) ? reader(fields.get(field), [field]) : otherwise);
  const duration = <Default>(field: Field, otherwise: Default, minMs: number, maxMs: number): string | Default | null =>
    read(field, otherwise, (value, path) => readDuration(value, path, minMs, maxMs, complaints));
  const need = <Value>(field: Field, what: string, reader: (value: unknown, path: Path) => Value | null): Value | null =>
    fields.has(field) ? reader(fields.get(field), [field]) : complaints.add([field], 'required', `needs ${what}`);

  const name = need('name', 'a name', (value, path) => readLine(value, path, RULE_BOUNDS.nameLength, complaints));
  const condition = need('condition', 'a condition', (value, path) => parseCondition(value, path, complaints));
  const groupBy = read('groupBy', [], (value, path) => parseGroupBy(value, path, complaints));
  const every = duration('every', undefined, complaints.bounds.minEveryMs, maxEveryMs);
  const evaluate = read('evaluate', RULE_DEFAULTS.evaluate, (value, path) =>
    readWord(value, path, OCCASIONS, exactly(OCCASIONS), complaints),
  );
  const remindEvery = duration('remindEvery', undefined, minRemindEveryMs, maxHoldMs);
  const severity = read('severity', undefined, (value, path) => readWord(value, path, SEVERITIES, severityFrom, complaints));
  const hasLevels = condition !== null && leavesOf(condition).some(isGraded);
  const enabled = read('enabled', null, (value, path) => readBoolean(value, path, complaints));
  const spec = {
    key: read('key', name === null ? null : ruleKey(name), (value, path) => readKey(value, path, complaints)),
    name,
    ...(hasLevels ? {} : { severity: severity ?? ('warning' as const) }),
    condition,
    groupBy,
    ...(every === undefined ? {} : { every }),
    for: duration('for', '0s', 0, maxHoldMs),
    keepFiringFor: duration('keepFiringFor', '0s', 0, maxHoldMs),
    cooldown: duration('cooldown', '60m', 0, maxHoldMs),
    evaluationDelay: read('evaluationDelay', evaluate === 'arrival' ? '0s' : '10s', (value, path) =>
      value === 'auto' ? value : readDuration(value, path, 0, maxEvaluationDelayMs, complaints),
    ),
    newSeriesGrace: duration('newSeriesGrace', RULE_DEFAULTS.newSeriesGrace, 0, RULE_BOUNDS.maxGraceMs),
    flapping: read('flapping', RULE_DEFAULTS.flapping, (value, path) => readFlapping(value, path, complaints)),
    maxOpenAlerts: read('maxOpenAlerts', RULE_DEFAULTS.maxOpenAlerts, (value, path) =>
      readCount(value, path, 1, RULE_BOUNDS.openAlertsPerRule, complaints),
    ),
    maxSeries: read('maxSeries', RULE_DEFAULTS.maxSeries, (value, path) =>
      readCount(value, path, 1, RULE_BOUNDS.seriesPerRule, complaints),
    ),
    evaluate,
    mode: read('mode', RULE_DEFAULTS.mode, (value, path) => readWord(value, path, MODES, exactly(MODES), complaints)),
    noData: read('noData', 'keep' as const, (value, path) => readWord(value, path, NO_DATA, exactly(NO_DATA), complaints)),
    onError: read('onError', 'keep' as const, (value, path) => readWord(value, path, ON_ERROR, exactly(ON_ERROR), complaints)),
    notify: read('notify', [], (value, path) => readNotify(value, path, complaints)),
    ...(remindEvery === undefined ? {} : { remindEvery }),
    labels: read('labels', {}, (value, path) => readTexts(value, path, RULE_BOUNDS.labels, RULE_BOUNDS.valueLength, complaints)),
    annotations: read('annotations', {}, (value, path) => readAnnotations(value, path, complaints)),
  };
  if (hasLevels && severity !== undefined && severity !== null) {
    complaints.add(['severity'], 'severity_with_levels', 'the levels of the threshold say how bad it is; leave severity out');
  }
  if (condition !== null) complainOfBudgets(condition, complaints);
  if (condition !== null && groupBy !== null && groupBy.length > 0 && everyComparisonJoins(condition)) {
    complaints.add(
      ['groupBy'],
      'no_series',
      'every comparison says groupBy: [], so nothing is split; leave one grouped, or the rule ungrouped',
    );
  }
  return isWhole(spec, complaints) ? { ok: true, spec, enabled } : { ok: false, issues: complaints.issues };
}

const NO_DATA = ['ok', 'keep', 'alert'] as const;
const ON_ERROR = ['keep', 'alert'] as const;
const MODES = ['live', 'shadow'] as const;
const OCCASIONS = ['schedule', 'arrival'] as const;

const isGraded = (leaf: LeafSpec): boolean => 'threshold' in leaf && (isLevels(leaf.threshold) || isBudget(leaf.threshold));

/** Steps of a budget are levels of their own kind: a rule has one budget, and no other levels beside it. */
function complainOfBudgets(condition: ConditionSpec, complaints: Complaints): void {
  const graded = leavesOf(condition).filter(isGraded);
  if (graded.length < 2 || !graded.some((leaf) => 'threshold' in leaf && isBudget(leaf.threshold))) return;
  complaints.add(['condition'], 'conflict', 'a rule has one budget, and no levels beside it; write two rules');
}

function readFlapping(input: unknown, path: Path, complaints: Complaints): RuleSpec['flapping'] | null {
  if (input === 'off') return 'off';
  const fields = readFields(input, path, ['changes', 'within'], complaints);
  if (fields === null) return null;
  const { minFlappingMs, maxFlappingMs, flappingChanges } = RULE_BOUNDS;
  const changes = readCount(fields.get('changes') ?? RULE_DEFAULTS.flapping.changes, [...path, 'changes'], 2, flappingChanges, complaints);
  const within = readDuration(
    fields.get('within') ?? RULE_DEFAULTS.flapping.within,
    [...path, 'within'],
    minFlappingMs,
    maxFlappingMs,
    complaints,
  );
  return changes === null || within === null ? null : { changes, within };
}

function readCount(value: unknown, path: Path, least: number, most: number, complaints: Complaints): number | null {
  const number = readNumber(value, path, complaints);
  if (number === null || (Number.isSafeInteger(number) && number >= least && number <= most)) return number;
  return complaints.add(path, 'out_of_range', `must be a whole number from ${least} to ${most}`);
}

/** A null stands for a complaint, so that without complaints there is none. */
function isWhole(spec: { [field in keyof RuleSpec]: RuleSpec[field] | null }, { issues }: Complaints): spec is RuleSpec {
  return issues.length === 0 && Object.values(spec).every((value) => value !== null);
}

function readNotify(input: unknown, path: Path, complaints: Complaints): RuleSpec['notify'] | null {
  const list = readList(input, path, RULE_BOUNDS.channels, complaints);
  if (list === null) return null;
  const seen = new Set<string>();
  const targets = list.map((entry, index) => {
    const at = [...path, index];
    const fields =
      typeof entry === 'string' ? new Map([['channel' as const, entry]]) : readFields(entry, at, ['channel', 'minSeverity'], complaints);
    if (fields === null) return null;
    const channel = fields.has('channel')
      ? readKey(fields.get('channel'), [...at, 'channel'], complaints)
      : complaints.add([...at, 'channel'], 'required', "needs a channel's key");
    const minSeverity = fields.has('minSeverity')
      ? readWord(fields.get('minSeverity'), [...at, 'minSeverity'], SEVERITIES, severityFrom, complaints)
      : ('info' as const);
    if (channel === null || minSeverity === null) return null;
    if (seen.has(channel)) return complaints.add(at, 'duplicate', `channel ${quoted(channel)} is named twice`);
    seen.add(channel);
    return { channel, minSeverity };
  });
  return targets.every((target) => target !== null) ? targets : null;
}

function readTexts(
  input: unknown,
  path: Path,
  maxEntries: number,
  maxLength: number,
  complaints: Complaints,
): Record<string, string> | null {
  const entries = readEntries(input, path, complaints);
  if (entries === null) return null;
  if (entries.length > maxEntries) return complaints.add(path, 'too_many', `must have at most ${maxEntries} entries`);
  const texts = entries.map(([name, value]) => {
    const at = [...path, name];
    const label = readLine(name, at, RULE_BOUNDS.fieldLength, complaints);
    const text = readValue(value, at, maxLength, complaints);
    return label === null || text === null ? null : ([label, text] as const);
  });
  return texts.every((text) => text !== null) ? Object.fromEntries(texts) : null;
}

function readAnnotations(input: unknown, path: Path, complaints: Complaints): Record<string, string> | null {
  const annotations = readTexts(input, path, RULE_BOUNDS.annotations, RULE_BOUNDS.annotationLength, complaints);
  const { runbookUrl } = annotations ?? {};
  if (runbookUrl === undefined || /^https?:\/\/[^\s<>"]+$/.test(runbookUrl)) return annotations;
  return complaints.add([...path, 'runbookUrl'], 'invalid_value', 'must be an http or https address');
}

function everyComparisonJoins(spec: ConditionSpec): boolean {
  if ('all' in spec) return spec.all.every(everyComparisonJoins);
  if ('any' in spec) return spec.any.every(everyComparisonJoins);
  if ('not' in spec) return everyComparisonJoins(spec.not);
  return 'rule' in spec || ('groupBy' in spec && spec.groupBy !== undefined);
}
