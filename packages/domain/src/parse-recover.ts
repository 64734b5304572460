import { type Complaints, readFields } from './complaints.ts';
import type { Path } from './issue.ts';
import type { Operator } from './metric-query.ts';
import { readNumber } from './read-values.ts';
import { SEVERITIES, type Severity } from './severity.ts';
import { isBudget, isLevels, type LimitSpec, type RecoverSpec, type ThresholdSpec } from './threshold-spec.ts';

export function parseRecover(
  input: unknown,
  path: Path,
  threshold: ThresholdSpec | null,
  operator: Operator | null,
  complaints: Complaints,
): RecoverSpec | null {
  if (threshold !== null && isBudget(threshold))
    return complaints.add(path, 'no_meaning', 'what is spent does not come back within its period');
  if (threshold === null || !isLevels(threshold)) return parseOneRecover(input, path, threshold, operator, complaints);
  const fields = readFields(input, path, SEVERITIES, complaints);
  if (fields === null) return null;
  const recover: Partial<Record<Severity, number>> = {};
  for (const [severity, value] of fields) {
    const limit = threshold[severity];
    if (limit === undefined) return complaints.add([...path, severity], 'conflict', `there is no level ${severity} to recover from`);
    const number = parseOneRecover(value, [...path, severity], limit, operator, complaints);
    if (number !== null) recover[severity] = number;
  }
  return recover;
}

function parseOneRecover(
  input: unknown,
  path: Path,
  limit: LimitSpec | null,
  operator: Operator | null,
  complaints: Complaints,
): number | null {
  const recover = readNumber(input, path, complaints);
  if (recover === null || limit === null || operator === null) return null;
  if (typeof limit !== 'number') {
    const [kind] = Object.keys(limit);
    const where = kind === 'forecast' ? 'a forecast has none' : `put it into the threshold: {"${kind}": {…, "recover": …}}`;
    return complaints.add(path, 'conflict', `a threshold that moves has no fixed end; ${where}`);
  }
  if (isOnClearSide(recover, operator, limit)) return recover;
  return complaints.add(path, 'recover_side', recoverMessage(operator, limit));
}

function isOnClearSide(recover: number, operator: Operator, threshold: number): boolean {
  if (operator === '>' || operator === '>=') return recover <= threshold;
  return (operator === '<' || operator === '<=') && recover >= threshold;
}

function recoverMessage(operator: Operator, threshold: number): string {
  if (operator === '==' || operator === '!=') return `recover has no meaning with ${operator}, which has no side`;
  return `must be ${operator.startsWith('>') ? 'at most' : 'at least'} the threshold ${threshold}: firing ends on its clear side`;
}
