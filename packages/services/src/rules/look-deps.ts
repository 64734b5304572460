import type { MetricSource } from '@tocsin/domain';
import { type KnownFits, openKnownFits } from '@tocsin/pipeline';
import type { Context } from '../context.ts';

/**
 * What a rule is looked at with when a person asks. What is usual is worked out anew each time, so that a look at the past leaves nothing behind that the
 * next one would take for the present.
 */
export const lookDeps = ({ events }: Context): { source: MetricSource; fits: KnownFits } => ({
  source: events.sourceNow,
  fits: openKnownFits(events),
});

/** People wait no longer than this. */
const LOOK_MS = 15_000;

/** Ends when the caller hangs up, too. */
export const lookSignal = (signal: AbortSignal): AbortSignal => AbortSignal.any([signal, AbortSignal.timeout(LOOK_MS)]);
