import type { PlannedRule } from './plan-pack.ts';

export const isKept = (planned: PlannedRule): planned is PlannedRule & { action: 'kept' } => planned.action === 'kept';

/** Whether it changes anything. */
export const isNews = ({ action }: PlannedRule): boolean => action !== 'kept' && action !== 'unchanged';
