import { SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Basis, Time } from './primitives.ts';

const VERDICTS = ['breach', 'clear', 'unknown', 'not_ready', 'failed'] as const;

const traced = {
  verdict: z.enum(VERDICTS),
  /** True, false, or null where nobody can say: no reading, too few samples, a past that is not known, a query that failed. */
  holds: z.boolean().nullable(),
};

/** Half open. */
export const Window = z.strictObject({ from: Time, to: Time });

/** One comparison of a condition at one slot, and what it was made of. */
export const ComparisonTrace = z.strictObject({
  kind: z.literal('comparison'),
  ...traced,
  /** Its place among the rule's comparisons, as they are written. */
  index: z.int(),
  metric: z.string(),
  aggregation: z.string(),
  unit: z.string().nullable(),
  /** Null: it looks at another rule. */
  window: Window.nullable(),
  basis: Basis,
  samples: z.number(),
  minSamples: z.int(),
  value: z.number().nullable(),
  operator: z.string(),
  /** Null: not known. */
  threshold: z.number().nullable(),
  /** Where the threshold came from, or the value, as data; null: the rule says the one, and the other was read. */
  origin: z.record(z.string(), z.unknown()).nullable(),
  /** The same in words, or why nobody can say. */
  why: z.string().nullable(),
  /** Of a rule with several levels what each says, the mildest first. */
  levels: z.array(z.strictObject({ severity: z.enum(SEVERITIES), threshold: z.number().nullable(), verdict: z.enum(VERDICTS) })),
});
export type ComparisonTrace = z.infer<typeof ComparisonTrace>;

export type RuleTrace =
  | (Pick<ComparisonTrace, 'verdict' | 'holds'> & { kind: 'all' | 'any'; children: RuleTrace[] })
  | (Pick<ComparisonTrace, 'verdict' | 'holds'> & { kind: 'not'; child: RuleTrace })
  | ComparisonTrace;

/** A condition, part by part. */
export const RuleTrace: z.ZodType<RuleTrace> = z.lazy(() =>
  z.discriminatedUnion('kind', [
    z.strictObject({ kind: z.enum(['all', 'any']), ...traced, children: z.array(RuleTrace) }),
    z.strictObject({ kind: z.literal('not'), ...traced, child: RuleTrace }),
    ComparisonTrace,
  ]),
);
