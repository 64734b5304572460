import { SEVERITIES } from '@tocsin/domain';
import { z } from 'zod';
import { Id, Time, TimeInput } from './primitives.ts';

/** By the start of alerts: `from`, thirty days back unless said, to before `to`, now unless said. */
export const AskAlertStats = z
  .strictObject({ from: TimeInput.optional(), to: TimeInput.optional() })
  .refine(({ from, to }) => from === undefined || to === undefined || from < to, { path: ['to'], message: 'must be later than `from`' });

/** Milliseconds; null: there was nothing to take it of. */
const Ms = z.number().nullable();
/** From 0 to 1; null: there is nothing that it could be a share of. */
const Share = z.number().nullable();
const Percentiles = z.strictObject({ p50: Ms, p95: Ms });

export const AlertStats = z.strictObject({
  from: Time,
  to: Time,
  total: z.int(),
  open: z.int(),
  critical: z.int(),
  resolved: z.int(),
  /** `resolved` of `total`. */
  resolutionRate: Share,
  /** From the first slot that breached to the alert: what `for`, a cooldown and the evaluation itself took. */
  detectionDelayMs: Percentiles,
  openBySeverity: z.record(z.enum(SEVERITIES), z.int()),
  /** Days in UTC, oldest first; days on which nothing happened are left out. */
  perDay: z.array(z.strictObject({ day: z.iso.date(), fired: z.int(), resolved: z.int() })),
  /** Mean time to acknowledge and to resolve, of those alerts that were. */
  mttaMs: Ms,
  mttrMs: Ms,
  /** The ten rules with the most alerts. */
  noisiestRules: z.array(
    z.strictObject({
      rule: z.strictObject({ id: Id, key: z.string(), name: z.string() }),
      alerts: z.int(),
      /** Alerts that ended by themselves within two minutes. */
      autoResolvedUnder2m: z.int(),
      noise: z.int(),
    }),
  ),
  /** Of the alerts that ended by themselves, those that did so within two minutes. */
  autoResolvedUnder2mShare: Share,
  /** Of the messages made in that time. `successRate` is delivered of delivered and dead, latency from the message's making, or from when it had waited for quiet hours or a digest, to its arrival. */
  deliveries: z.array(
    z.strictObject({
      channel: z.string(),
      kind: z.string(),
      delivered: z.int(),
      dead: z.int(),
      suppressed: z.int(),
      underWay: z.int(),
      /** For the end of the channel's quiet hours, or for its digest; in none of the others. */
      waiting: z.int(),
      successRate: Share,
      latencyMs: Percentiles,
    }),
  ),
  /** Alerts that people marked as noise, and trouble they reported that no alert told of. */
  falsePositives: z.int(),
  falseNegatives: z.int(),
});
export type AlertStats = z.infer<typeof AlertStats>;
