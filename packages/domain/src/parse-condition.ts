import { type Complaints, kindOf, readFields } from './complaints.ts';
import { operatorFrom } from './dialects.ts';
import type { Path } from './issue.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import { parseQuerySpec, QUERY_FIELDS } from './parse-query.ts';
import { readNumber, readWord } from './read-values.ts';
import type { ComparisonSpec, ConditionSpec } from './rule-spec.ts';

const GROUPS = ['all', 'any', 'not'] as const;
const COMPARISON_FIELDS = [...QUERY_FIELDS, 'operator', 'threshold', 'recover', 'minSamples', 'groupBy'] as const;

/** What is gathered over the whole tree. */
interface Tree {
  complaints: Complaints;
  comparisons: number;
}

interface Place {
  path: Path;
  /** Groups around it. */
  depth: number;
  isNegated: boolean;
}

/** Null: complained about. A comparison may stand alone, without a group around it. */
export function parseCondition(input: unknown, path: Path, complaints: Complaints): ConditionSpec | null {
  const tree: Tree = { complaints, comparisons: 0 };
  const condition = parseNode(input, { path, depth: 0, isNegated: false }, tree);
  const { comparisons } = complaints.bounds;
  if (tree.comparisons <= comparisons) return condition;
  return complaints.add(path, 'too_many', `must have at most ${comparisons} comparisons, not ${tree.comparisons}`);
}

function parseNode(input: unknown, place: Place, tree: Tree): ConditionSpec | null {
  const { complaints } = tree;
  if (Array.isArray(input))
    return complaints.add(place.path, 'invalid_type', 'must be a comparison or one of {all: […]}, {any: […]}, {not: …}, not a list');
  if (typeof input !== 'object' || input === null)
    return complaints.add(place.path, 'invalid_type', `must be an object, not ${kindOf(input)}`);
  const groups = GROUPS.filter((group) => Object.hasOwn(input, group));
  if (groups.length > 1) return complaints.add(place.path, 'conflict', `takes one of ${groups.join(' and ')}; put one inside the other`);
  const group = groups[0];
  if (group === undefined) {
    if (Object.keys(input).length === 0)
      return complaints.add(place.path, 'empty', 'must not be empty: a comparison, all, any or not is needed');
    return parseComparison(input, place, tree);
  }
  const { depth } = complaints.bounds;
  if (place.depth >= depth) return complaints.add(place.path, 'too_deep', `must be nested at most ${depth} deep`);
  const child = readFields(input, place.path, [group], complaints)?.get(group);
  const inside: Place = { path: [...place.path, group], depth: place.depth + 1, isNegated: place.isNegated || group === 'not' };
  if (group === 'not') {
    const negated = parseNode(child, inside, tree);
    return negated === null ? null : { not: negated };
  }
  const children = parseChildren(child, inside, tree);
  if (children === null) return null;
  return group === 'all' ? { all: children } : { any: children };
}

function parseChildren(input: unknown, place: Place, tree: Tree): ConditionSpec[] | null {
  const { complaints } = tree;
  if (!Array.isArray(input)) return complaints.add(place.path, 'invalid_type', `must be a list of conditions, not ${kindOf(input)}`);
  if (input.length === 0) return complaints.add(place.path, 'empty', 'must hold a condition at least');
  const { comparisons } = complaints.bounds;
  if (input.length > comparisons) return complaints.add(place.path, 'too_many', `must have at most ${comparisons} entries`);
  const children = input.map((child, index) => parseNode(child, { ...place, path: [...place.path, index] }, tree));
  return children.every((child) => child !== null) ? children : null;
}

function parseComparison(input: object, { path, isNegated }: Place, tree: Tree): ComparisonSpec | null {
  const { complaints } = tree;
  tree.comparisons++;
  if (tree.comparisons > complaints.bounds.comparisons) return null;
  const fields = readFields(input, path, COMPARISON_FIELDS, complaints);
  if (fields === null) return null;
  const query = parseQuerySpec(fields, path, complaints);
  const operator = fields.has('operator')
    ? readWord(fields.get('operator'), [...path, 'operator'], OPERATORS, operatorFrom, complaints)
    : complaints.add([...path, 'operator'], 'required', `needs an operator: ${OPERATORS.join(' ')}`);
  const threshold = fields.has('threshold')
    ? readNumber(fields.get('threshold'), [...path, 'threshold'], complaints)
    : complaints.add([...path, 'threshold'], 'required', 'needs a threshold, a number');
  const recover = fields.has('recover') ? readNumber(fields.get('recover'), [...path, 'recover'], complaints) : undefined;
  const minSamples = fields.has('minSamples') ? readMinSamples(fields.get('minSamples'), [...path, 'minSamples'], complaints) : 1;
  const joins = fields.has('groupBy') ? readJoin(fields.get('groupBy'), [...path, 'groupBy'], complaints) : false;

  if (recover !== undefined && isNegated)
    return complaints.add([...path, 'recover'], 'recover_under_not', 'recover has no meaning under not');
  if (query === null || operator === null || threshold === null || recover === null || minSamples === null || joins === null) return null;
  if (recover !== undefined && !isOnClearSide(recover, operator, threshold)) {
    return complaints.add([...path, 'recover'], 'recover_side', recoverMessage(operator, threshold));
  }
  return {
    ...query,
    operator,
    threshold,
    ...(recover === undefined ? {} : { recover }),
    minSamples,
    ...(joins ? { groupBy: [] as [] } : {}),
  };
}

function readMinSamples(value: unknown, path: Path, complaints: Complaints): number | null {
  const number = readNumber(value, path, complaints);
  if (number === null || (Number.isSafeInteger(number) && number >= 1)) return number;
  return complaints.add(path, 'out_of_range', 'must be a whole number, 1 or more');
}

function readJoin(value: unknown, path: Path, complaints: Complaints): boolean | null {
  if (Array.isArray(value) && value.length === 0) return true;
  return complaints.add(
    path,
    'invalid_value',
    'groupBy belongs to the rule; a comparison may only say [], and its value joins every series',
  );
}

function isOnClearSide(recover: number, operator: Operator, threshold: number): boolean {
  if (operator === '>' || operator === '>=') return recover <= threshold;
  return (operator === '<' || operator === '<=') && recover >= threshold;
}

function recoverMessage(operator: Operator, threshold: number): string {
  if (operator === '==' || operator === '!=') return `recover has no meaning with ${operator}, which has no side`;
  return `must be ${operator.startsWith('>') ? 'at most' : 'at least'} the threshold ${threshold}: firing ends on its clear side`;
}
