import { advance, firstState } from '../src/advance.ts';
import type { CompiledRule } from '../src/compiled-rule.ts';
import type { Judgement, SeriesState, Step, Verdict } from '../src/series-state.ts';
import { SEVERITIES, type Severity } from '../src/severity.ts';
import { MINUTE } from './a-rule.ts';

export const START = 1_772_366_400_000;

/**
 * What a slot finds: `B`reach, `C`lear, `H`eld (clear, but not past `recover`), `.` no data, `~` too few samples, `F`ailed query,
 * `?` clear though the series did not answer, `W`orse (a breach that is critical), `N`ot ready. `-` is no slot at all: nobody looked.
 */
export const SYMBOLS = ['B', 'C', 'H', '.', '~', 'F', '?', 'W', 'N', '-'] as const;
export type Symbol = (typeof SYMBOLS)[number];

const VERDICTS: Record<Exclude<Symbol, '-'>, [Verdict, Verdict]> = {
  B: ['breach', 'breach'],
  C: ['clear', 'clear'],
  H: ['clear', 'breach'],
  '.': ['unknown', 'unknown'],
  '~': ['unknown', 'unknown'],
  F: ['failed', 'failed'],
  '?': ['clear', 'clear'],
  W: ['breach', 'breach'],
  N: ['not_ready', 'not_ready'],
};

export function judgementOf(symbol: Exclude<Symbol, '-'>, severity: Severity = 'warning'): Judgement {
  const [verdict, whileFiring] = VERDICTS[symbol];
  const hasValue = verdict !== 'failed' && symbol !== '.';
  const worst = symbol === 'W' ? 'critical' : severity;
  const level = { severity: worst, rank: SEVERITIES.indexOf(worst) };
  return {
    seriesKey: '{}',
    labels: {},
    verdict,
    whileFiring,
    seen: hasValue && symbol !== '?',
    ...level,
    held: level,
    isAbsence: false,
    lead: {
      comparison: 0,
      value: hasValue ? 1 : null,
      operator: '>',
      threshold: 0,
      samples: hasValue ? 1 : 0,
      origin: null,
      notReady: symbol === 'N' ? 'baseline_not_ready' : null,
    },
  };
}

export interface Played extends Step {
  slotMs: number;
}

/** Plays one symbol a minute; `between` sees each state before it is used again, as a store would. */
export function playSteps(
  rule: CompiledRule,
  symbols: readonly Symbol[],
  between: (state: SeriesState) => SeriesState = (state) => state,
): Played[] {
  let state = firstState(START);
  let previousSlotMs: number | null = null;
  const steps: Played[] = [];
  symbols.forEach((symbol, index) => {
    if (symbol === '-') return;
    const slotMs = START + index * MINUTE;
    const step = advance(between(state), judgementOf(symbol), rule, { slotMs, previousSlotMs, everyMs: MINUTE });
    steps.push({ ...step, slotMs });
    state = step.state;
    previousSlotMs = slotMs;
  });
  return steps;
}

export const symbolsOf = (text: string): Symbol[] =>
  Array.from(text.replaceAll(' ', ''), (letter) => SYMBOLS.find((symbol) => symbol === letter) ?? '-');

/** The phase after each slot, by its first letter: `o p f r`. */
export const phases = (rule: CompiledRule, text: string): string =>
  playSteps(rule, symbolsOf(text))
    .map(({ state }) => state.phase[0])
    .join('');

/** What people hear, with the minute it is said at. */
export const heard = (rule: CompiledRule, text: string): string[] =>
  playSteps(rule, symbolsOf(text)).flatMap(({ change, slotMs }) =>
    change === null ? [] : [`${(slotMs - START) / MINUTE} ${change.kind}${change.kind === 'resolved' ? ` ${change.why}` : ''}`],
  );

export const reasons = (rule: CompiledRule, text: string): string[] => playSteps(rule, symbolsOf(text)).map(({ reason }) => reason);
