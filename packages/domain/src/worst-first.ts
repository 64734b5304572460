import type { Judgement, LeadReading, Verdict } from './series-state.ts';

const RANK: Readonly<Record<Verdict, number>> = { breach: 0, failed: 1, not_ready: 2, unknown: 3, clear: 4 };

interface Ranked {
  isOpen: boolean;
  judgement: Judgement;
}

/** Orders the series of one rule: open alerts, then breaches, then by how far past the threshold; ties by key, so that nothing is left to chance. */
export function worstFirst(a: Ranked, b: Ranked): number {
  if (a.isOpen !== b.isOpen) return a.isOpen ? -1 : 1;
  const byVerdict = RANK[a.judgement.verdict] - RANK[b.judgement.verdict];
  if (byVerdict !== 0) return byVerdict;
  const [excessA, excessB] = [excess(a.judgement.lead), excess(b.judgement.lead)];
  if (excessA !== excessB) return excessA > excessB ? -1 : 1;
  return a.judgement.seriesKey < b.judgement.seriesKey ? -1 : 1;
}

/** How far a value lies on the breaching side of its threshold. */
function excess({ value, operator, threshold }: LeadReading): number {
  if (value === null || threshold === null) return -Infinity;
  if (operator === '<' || operator === '<=') return threshold - value;
  return operator === '>' || operator === '>=' ? value - threshold : Math.abs(value - threshold);
}
