import { periodAt } from './period.ts';
import type { EpochMs } from './clock.ts';
import type { CompiledRule } from './compiled-rule.ts';
import type { WindowedQuery } from './reading.ts';

/** What a rule has to ask at a slot, one query for each of its windows. `endMs` is the end of its own window: slot − evaluationDelay. */
export function windowsAt({ windows }: Pick<CompiledRule, 'windows'>, endMs: EpochMs): WindowedQuery[] {
  return windows.map(({ query, backMs, calendar }) => {
    const toMs = endMs - backMs;
    if (calendar === null) return { query, endMs: toMs };
    // At the very end of a period its window is the whole of it.
    const { fromMs } = periodAt(toMs - 1, calendar);
    return { query: { ...query, windowMs: toMs - fromMs }, endMs: toMs };
  });
}
