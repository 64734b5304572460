import type { ComparisonTrace as ShownComparison, RuleTrace } from '@tocsin/contracts';
import type { ComparisonTrace, EpochMs, TraceNode } from '@tocsin/domain';
import { timeText } from '../time-text.ts';

/** A traced condition as people see it: times as text. */
export function viewTrace(node: TraceNode): RuleTrace {
  switch (node.kind) {
    case 'comparison':
      return viewComparison(node);
    case 'not':
      return { ...node, child: viewTrace(node.child) };
    case 'all':
    case 'any':
      return { ...node, children: node.children.map(viewTrace) };
  }
}

const viewComparison = ({ window, ...comparison }: ComparisonTrace): ShownComparison => ({ ...comparison, window: viewWindow(window) });

export const viewWindow = (window: { fromMs: EpochMs; toMs: EpochMs } | null): ShownComparison['window'] =>
  window === null ? null : { from: timeText(window.fromMs), to: timeText(window.toMs) };
