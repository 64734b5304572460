import { type Complaints, readFields } from './complaints.ts';
import type { Path } from './issue.ts';
import { readList, readNumber } from './read-values.ts';
import type { BudgetSpec } from './threshold-spec.ts';

const STEPS_MAX = 10;

export function parseBudget(input: unknown, path: Path, complaints: Complaints): BudgetSpec | null {
  const fields = readFields(input, path, ['amount', 'steps'], complaints);
  if (fields === null) return null;
  const amount = readNumber(fields.get('amount'), [...path, 'amount'], complaints);
  const list = readList(fields.get('steps') ?? [80, 100], [...path, 'steps'], STEPS_MAX, complaints);
  const steps = list?.map((step, index) => readNumber(step, [...path, 'steps', index], complaints)) ?? [];
  if (amount === null || list === null || !steps.every((step) => step !== null)) return null;
  if (amount <= 0) return complaints.add([...path, 'amount'], 'out_of_range', 'must be more than 0');
  if (steps.length === 0) return complaints.add([...path, 'steps'], 'empty', 'must hold a percentage at least, such as 100');
  const wrong = steps.findIndex((step, index) => step <= (steps[index - 1] ?? 0) || step > 1_000);
  if (wrong >= 0)
    return complaints.add(
      [...path, 'steps', wrong],
      'out_of_range',
      'must be percentages from above 0 to 1,000, each more than the one before',
    );
  return { amount, steps };
}
