import { listed } from './listed.ts';
import { OPERATORS, type Operator } from './metric-query.ts';
import type { WhereTest } from './rule-spec.ts';

export const COMPARED: Readonly<Record<Operator, string>> = {
  '>': 'is above',
  '>=': 'is at or above',
  '<': 'is below',
  '<=': 'is at or below',
  '==': 'is',
  '!=': 'is not',
};

export function describeTest(field: string, test: WhereTest): string {
  if (typeof test === 'string') return `${field} is ${test}`;
  if (Array.isArray(test)) return `${field} is ${listed(test, 'or')}`;
  const said: string[] = [];
  if (test.prefix !== undefined) said.push(`${field} starts with ${test.prefix}`);
  if (test.exists !== undefined) said.push(`${field} ${test.exists ? 'exists' : 'is missing'}`);
  if (typeof test.not === 'string') said.push(`${field} is not ${test.not}`);
  else if (Array.isArray(test.not)) said.push(`${field} is not ${listed(test.not, 'or')}`);
  else if (test.not !== undefined) said.push(`${field} does not start with ${test.not.prefix}`);
  for (const operator of OPERATORS) {
    const value = test[operator];
    if (value !== undefined) said.push(`${field} ${COMPARED[operator]} ${value}`);
  }
  return said.join(' and ');
}
