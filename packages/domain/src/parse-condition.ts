import { type Complaints, kindOf, readFields } from './complaints.ts';
import type { Path } from './issue.ts';
import { parseLeaf } from './parse-leaf.ts';
import type { ConditionSpec } from './rule-spec.ts';

const GROUPS = ['all', 'any', 'not'] as const;

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
    tree.comparisons++;
    return tree.comparisons > complaints.bounds.comparisons ? null : parseLeaf(input, place, complaints);
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
