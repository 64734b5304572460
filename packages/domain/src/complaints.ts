import { didYouMean } from './nearest-name.ts';
import { pointerTo, type Issue, type IssueCode, type Path } from './issue.ts';
import { RULE_BOUNDS, type RuleBounds } from './rule-bounds.ts';
import { NO_SAVED_METRICS, type SavedMetrics } from './saved-metric.ts';

// Enough to mend a rule by; a hostile one must not make an endless answer.
const MAX_ISSUES = 50;

/** Gathers what is wrong with an input, so that all of it is told at once. */
export class Complaints {
  readonly issues: Issue[] = [];
  /** What there is to complain about. */
  readonly bounds: RuleBounds;
  readonly savedMetrics: SavedMetrics;

  constructor(bounds: RuleBounds = RULE_BOUNDS, savedMetrics: SavedMetrics = NO_SAVED_METRICS) {
    this.bounds = bounds;
    this.savedMetrics = savedMetrics;
  }

  /** Nothing more is told: what would only find further faults may stop. */
  get isFull(): boolean {
    return this.issues.length >= MAX_ISSUES;
  }

  /** Answers null, so that a reader can return it. */
  add(path: Path, code: IssueCode, message: string): null {
    if (!this.isFull) this.issues.push({ pointer: pointerTo(path), code, message });
    return null;
  }
}

/** What a person wrote, fit to be shown inside a message. */
export function quoted(value: unknown): string {
  const text = typeof value === 'string' ? value : (JSON.stringify(value) ?? typeof value);
  const printable = text.replace(/[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069]/g, '�');
  return `'${printable.length > 60 ? `${printable.slice(0, 60)}…` : printable}'`;
}

export function kindOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  return (
    { string: 'text', number: 'a number', boolean: 'true or false', object: 'an object', undefined: 'nothing' }[typeof value as string] ??
    typeof value
  );
}

// They would reach into every object's prototype once such a value is merged or looked up carelessly.
const FORBIDDEN: ReadonlySet<string> = new Set(['__proto__', 'constructor', 'prototype']);

/**
 * An object with free names (labels, filters); entries whose name is forbidden, or the same as another but for blanks around it, are
 * complained about and left out. Null: not an object.
 */
export function readEntries(value: unknown, path: Path, complaints: Complaints): [string, unknown][] | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return complaints.add(path, 'invalid_type', `must be an object, not ${kindOf(value)}`);
  }
  const seen = new Set<string>();
  return Object.entries(value).filter(([written]) => {
    const name = written.trim();
    if (FORBIDDEN.has(name)) complaints.add([...path, written], 'forbidden_key', `${quoted(written)} is not allowed as a name`);
    else if (seen.has(name)) complaints.add([...path, written], 'duplicate', `${quoted(name)} is given twice`);
    const isKept = !FORBIDDEN.has(name) && !seen.has(name);
    seen.add(name);
    return isKept;
  });
}

/** Words of other systems for fields of ours, for the hint alone. */
const HINTS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    op: 'operator',
    value: 'threshold',
    limit: 'threshold',
    filter: 'where',
    filters: 'where',
    conditions: 'condition',
    when: 'condition',
    interval: 'every',
    frequency: 'every',
    schedule: 'every',
    channels: 'notify',
    notifications: 'notify',
    pending: 'for',
    holdfor: 'for',
    tags: 'labels',
    by: 'groupBy',
    dimensions: 'groupBy',
    field: 'measure',
    agg: 'aggregation',
    function: 'aggregation',
    period: 'window',
    timewindow: 'window',
    range: 'window',
    and: 'all',
    or: 'any',
    hysteresis: 'recover',
    renotify: 'remindEvery',
  }),
);

/** An object with known fields; others are complained about with the nearest known name. Undefined values count as absent. */
export function readFields<Name extends string>(
  value: unknown,
  path: Path,
  known: readonly Name[],
  complaints: Complaints,
): ReadonlyMap<Name, unknown> | null {
  const entries = readEntries(value, path, complaints);
  if (entries === null) return null;
  const fields = new Map<Name, unknown>();
  for (const [name, field] of entries) {
    const ours = known.find((candidate) => candidate === name);
    if (ours === undefined && complaints.isFull) continue;
    if (ours === undefined) complaints.add([...path, name], 'unknown_field', `Unknown field ${quoted(name)}.${hintFor(name, known)}`);
    else if (field !== undefined) fields.set(ours, field);
  }
  return fields;
}

function hintFor(name: string, known: readonly string[]): string {
  const synonym = HINTS.get(name.toLowerCase().replace(/[_-]/g, ''));
  return synonym !== undefined && known.includes(synonym) ? ` Did you mean '${synonym}'?` : didYouMean(name, known);
}
